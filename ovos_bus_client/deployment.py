"""
The deployment's defaults: what a session field means that is left out (S2), by ``mycroft.conf``.

Nothing is remembered between two sessions: configuration can be edited while programs run, also
in place, and what is read next says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ovos_bus_client._core.fields import TRANSFORMERS
from ovos_bus_client._core.language import standard_tag

__all__ = ["Deployment"]

# The stages of a stock installation, where the configuration names none.
PIPELINE = [
    "ovos-stop-pipeline-plugin-high",
    "ovos-converse-pipeline-plugin",
    "ovos-ocp-pipeline-plugin-high",
    "ovos-padatious-pipeline-plugin-high",
    "ovos-adapt-pipeline-plugin-high",
    "ovos-m2v-pipeline-high",
    "ovos-ocp-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-high",
    "ovos-stop-pipeline-plugin-medium",
    "ovos-adapt-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-low",
]

LANGUAGE = "en-US"

# A conversation's keywords are remembered for so long.
CONTEXT_TIMEOUT = 120  # seconds

Config = Mapping[str, Any]


class Deployment:
    """The defaults as they are now. The configuration is read at most once, and only if needed."""

    __slots__ = ("_config",)

    def __init__(self) -> None:
        self._config: Config | None = None

    def __getitem__(self, field: str) -> Any:
        """Return the default of a field, by its wire name. It is not to be changed."""
        if field in CONSTANTS:
            return CONSTANTS[field]
        read = CONFIGURED.get(field)
        return None if read is None else read(self.config)

    @property
    def config(self) -> Config:
        """The configuration, read now if it was not before."""
        if self._config is None:
            # Imported here, because it takes longer than everything else together.
            from ovos_config import Configuration

            self._config = Configuration()
        return self._config

    @property
    def seconds_to_live(self) -> float:
        """How long an unused session is kept; below 0 for ever."""
        ttl = section(self.config, "session").get("ttl")
        return ttl if isinstance(ttl, int | float) else -1


def section(config: Config, name: str) -> Config:
    """Return a section, which is empty if it is not there or not a section."""
    # Not by [], which merges all files once more.
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _lang(config: Config) -> str:
    lang = config.get("lang")
    return standard_tag(lang) if isinstance(lang, str) and lang else LANGUAGE


def _text(name: str, otherwise: str) -> Callable[[Config], str]:
    def read(config: Config) -> str:
        value = config.get(name)
        return value if isinstance(value, str) and value else otherwise

    return read


def _words(name: str, field: str, otherwise: list[str]) -> Callable[[Config], list[str]]:
    def read(config: Config) -> list[str]:
        value = section(config, name).get(field)
        return value if isinstance(value, list) else otherwise

    return read


def _plugins(field: str) -> Callable[[Config], list[str]]:
    """Whatever is listed in the section of a kind of transformers and not switched off."""

    def read(config: Config) -> list[str]:
        home = section(config, "listener") if field == "audio_transformers" else config
        return [
            name
            for name, settings in section(home, field).items()
            if not (isinstance(settings, Mapping) and settings.get("active") is False)
        ]

    return read


def _secondary_langs(config: Config) -> list[str]:
    value = config.get("secondary_langs")
    return value if isinstance(value, list) else []


# What is the same everywhere: nothing is going on, and nobody has asked for anything.
CONSTANTS: Mapping[str, Any] = {
    "active_skills": [],
    "utterance_states": {},
    "active_handlers": [],
    "intent_context": {},
    "response_mode": {},
    "stt": {},
    "tts": {},
    "is_speaking": False,
    "is_recording": False,
    **{f"blacklisted_{name}": [] for name in TRANSFORMERS},
}

CONFIGURED: Mapping[str, Callable[[Config], Any]] = {
    "lang": _lang,
    "secondary_langs": _secondary_langs,
    "site_id": _text("site_id", "unknown"),
    "location": lambda config: section(config, "location"),
    "system_unit": _text("system_unit", "metric"),
    "date_format": _text("date_format", "DMY"),
    "time_format": _text("time_format", "full"),
    "pipeline": _words("intents", "pipeline", PIPELINE),
    "blacklisted_skills": _words("skills", "blacklisted_skills", []),
    "blacklisted_intents": _words("intents", "blacklisted_intents", []),
    "blacklisted_pipelines": _words("intents", "blacklisted_pipelines", []),
    **{field: _plugins(field) for field in TRANSFORMERS},
}


def context_timeout(config: Config) -> float:
    """Return how long the keywords of a conversation count, in seconds."""
    minutes = section(config, "context").get("timeout")
    return minutes * 60 if isinstance(minutes, int | float) else CONTEXT_TIMEOUT
