"""
The services that play: they take URIs, and say where they are in what they play.

Programs want `OCPInterface`, whose player chooses among these services and drives them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ovos_bus_client.apis.speaker import Speaker
from ovos_bus_client.apis.tracks import uris
from ovos_bus_client.message import Message

__all__ = [
    "ClassicAudioServiceInterface",
    "MediaService",
    "OCPAudioServiceInterface",
    "OCPVideoServiceInterface",
    "OCPWebServiceInterface",
]

# How long a service may take to say where it is, in seconds: the caller shows it to somebody.
STATE_TIMEOUT = 1.0

Seconds = float | timedelta


def in_seconds(duration: Seconds) -> float:
    """Return a duration in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


class MediaService(Speaker):
    """
    A service that plays.

    Everywhere, ``source_message`` is the message on whose behalf this is: its session and its
    direction are kept.

    Attributes:
        bus: Where the service is.
        topic: What its topics begin with.
    """

    topic = ""

    def play(
        self,
        tracks: Any = None,
        utterance: str | None = None,
        repeat: bool | None = None,
        source_message: Message | None = None,
    ) -> None:
        """
        Play something instead of what is being played.

        Args:
            tracks: A URI, a path, a pair of one and a MIME type (a tuple), or a list of these.
            utterance: What the user said; it may name a backend (*on the living room speaker*).
            repeat: Begin again at the end.
            source_message: On whose behalf.

        Raises:
            UnusableTrack: If one of the tracks is none.
        """
        data = {"tracks": uris(tracks), "utterance": utterance or "", "repeat": bool(repeat)}
        self._tell(source_message, "play", data)

    def stop(self, source_message: Message | None = None) -> None:
        """Stop, and forget what was to be played."""
        self._tell(source_message, "stop")

    def next(self, source_message: Message | None = None) -> None:
        """Play the next track."""
        self._tell(source_message, "next")

    def prev(self, source_message: Message | None = None) -> None:
        """Play the track before."""
        self._tell(source_message, "prev")

    def pause(self, source_message: Message | None = None) -> None:
        """Pause."""
        self._tell(source_message, "pause")

    def resume(self, source_message: Message | None = None) -> None:
        """Go on after `pause`."""
        self._tell(source_message, "resume")

    def get_track_length(self, source_message: Message | None = None) -> float:
        """Return how long the track is, in seconds; 0 if nobody says within 1 s."""
        return self._milliseconds(source_message, "length") / 1000

    def get_track_position(self, source_message: Message | None = None) -> float:
        """Return how much of the track was played, in seconds; 0 if nobody says within 1 s."""
        return self._milliseconds(source_message, "position") / 1000

    def set_track_position(self, seconds: Seconds, source_message: Message | None = None) -> None:
        """Go on playing at ``seconds`` from the beginning of the track."""
        position = in_seconds(seconds) * 1000
        self._tell(source_message, "set_track_position", {"position": position})

    def seek(self, seconds: Seconds = 1, source_message: Message | None = None) -> None:
        """Go ``seconds`` forward, or back if they are negative."""
        seconds = in_seconds(seconds)
        if seconds < 0:
            self.seek_backward(-seconds, source_message)
        else:
            self.seek_forward(seconds, source_message)

    def seek_forward(self, seconds: Seconds = 1, source_message: Message | None = None) -> None:
        """Go ``seconds`` forward."""
        self._tell(source_message, "seek_forward", {"seconds": in_seconds(seconds)})

    def seek_backward(self, seconds: Seconds = 1, source_message: Message | None = None) -> None:
        """Go ``seconds`` back."""
        self._tell(source_message, "seek_backward", {"seconds": in_seconds(seconds)})

    def track_info(self, source_message: Message | None = None) -> dict[str, Any]:
        """Return what is known of the track; nothing if none is played, or nobody says in 1 s."""
        reply_type = f"{self.topic}.track_info_reply"
        return self._question(source_message, "track_info", reply_type, STATE_TIMEOUT)

    def available_backends(self, source_message: Message | None = None) -> dict[str, Any]:
        """Return the backends of the service by name; nothing if nobody says within 3 s."""
        return self._question(source_message, "list_backends", None, 3.0)

    @property
    def is_playing(self) -> bool:
        """Whether there is a track; asks the service."""
        return bool(self.track_info())

    def _milliseconds(self, source: Message | None, what: str) -> float:
        answer = self._question(source, f"get_track_{what}", None, STATE_TIMEOUT)
        value = answer.get(what)
        return value if isinstance(value, int | float) else 0

    def _tell(self, source: Message | None, verb: str, data: dict[str, Any] | None = None) -> None:
        self._say(self._source(source), f"{self.topic}.{verb}", data)

    def _question(
        self, source: Message | None, verb: str, reply_type: str | None, timeout: float
    ) -> dict[str, Any]:
        return self._ask(self._source(source), f"{self.topic}.{verb}", reply_type, timeout)

    def _source(self, source: Message | None) -> Message | None:
        # The services of OCP are driven by its player, which speaks for itself, whatever message
        # it is handling.
        return Message("") if source is None else source


class ClassicAudioServiceInterface(MediaService):
    """
    The audio service as programs know it from Mycroft; ``ovos-audio`` is one.

    It is kept for older programs: `OCPInterface` is what a new one wants. A call is on behalf of
    the message that is being handled, unless it is given another.
    """

    topic = "mycroft.audio.service"

    def queue(self, tracks: Any = None, source_message: Message | None = None) -> None:
        """
        Play something after what is being played.

        Args:
            tracks: A URI, a path, a pair of one and a MIME type (a tuple), or a list of these.
            source_message: On whose behalf.

        Raises:
            UnusableTrack: If one of the tracks is none.
        """
        self._tell(source_message, "queue", {"tracks": uris(tracks)})

    def _source(self, source: Message | None) -> Message | None:
        return source


class OCPAudioServiceInterface(MediaService):
    """What OCP's player plays audio with."""

    topic = "ovos.audio.service"


class OCPVideoServiceInterface(MediaService):
    """What OCP's player plays video with."""

    topic = "ovos.video.service"


class OCPWebServiceInterface(MediaService):
    """What OCP's player shows web pages with."""

    topic = "ovos.web.service"
