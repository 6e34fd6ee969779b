"""
What `Message` inherits from, so that the instance checks of other packages recognise it.

``ovos_utils`` from 0.15 on acts on instances of ``ovos_spec_tools.message.Message`` only, a plain
class, so inheriting is the one way in. `Message` overrides all of it. The ``FakeMessage`` of an
older ``ovos_utils`` asks for `Message` by itself, and must not be inherited from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["MessageBase"]

if TYPE_CHECKING:

    class MessageBase:
        """Nothing that `Message` would use."""

else:
    try:
        from ovos_spec_tools.message import Message as MessageBase
    except ImportError:

        class MessageBase:
            """Nothing that `Message` would use."""
