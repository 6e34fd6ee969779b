"""A mycroft.conf that a test holds in its hand."""

from __future__ import annotations

from typing import Any

import pytest


class Sections(dict[str, Any]):
    """The merged configuration as ovos-config hands it out: a missing section is ``None``."""

    def __missing__(self, name: str) -> None:
        return None


def configure(monkeypatch: pytest.MonkeyPatch, **sections: Any) -> Sections:
    """Let the library read these sections, which the test may change as it goes."""
    configuration = Sections(sections)
    monkeypatch.setattr("ovos_config.Configuration", lambda: configuration)
    return configuration
