"""
Play media, and search for it: what skills say to the player, OVOS Common Play (OCP).

::

    ocp = OCPInterface(bus)
    ocp.play([{"uri": "https://example.org/jazz.mp3", "title": "Jazz"}])
    print(ocp.get_track_position(), "ms of", ocp.get_track_length())
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ovos_bus_client.apis.media_search import OCPQuery
from ovos_bus_client.apis.media_services import (
    STATE_TIMEOUT,
    ClassicAudioServiceInterface,
    OCPAudioServiceInterface,
    OCPVideoServiceInterface,
    OCPWebServiceInterface,
    Seconds,
    in_seconds,
)
from ovos_bus_client.apis.speaker import Speaker
from ovos_bus_client.apis.tracks import ensure_uri, norm_tracks, track_dict
from ovos_bus_client.errors import UnusableTrack
from ovos_bus_client.message import Message

__all__ = [
    "ClassicAudioServiceInterface",
    "OCPAudioServiceInterface",
    "OCPInterface",
    "OCPQuery",
    "OCPVideoServiceInterface",
    "OCPWebServiceInterface",
    "ensure_uri",
]


class OCPInterface(Speaker):
    """
    The player.

    A call is on behalf of the message that is being handled, whose session and direction are kept;
    everywhere, ``source_message`` names another.

    Attributes:
        bus: Where the player is.
    """

    @staticmethod
    def norm_tracks(tracks: list[Any]) -> list[Any]:
        """
        Make all members of a list ``MediaEntry`` or ``Playlist``, in place; see `tracks`.

        Raises:
            UnusableTrack: If it is no list, or one of its members is no track.
        """
        return norm_tracks(tracks)

    def queue(self, tracks: list[Any], source_message: Message | None = None) -> None:
        """
        Play something after what is being played.

        Args:
            tracks: ``MediaEntry``, ``Playlist`` or ``PluginStream``, or the dicts of these.
            source_message: On whose behalf.

        Raises:
            UnusableTrack: If it is no list, or one of its members is no track.
        """
        self._say(source_message, "ovos.common_play.playlist.queue", {"tracks": _dicts(tracks)})

    def populate_search_results(
        self,
        tracks: list[Any],
        replace: bool = True,
        sort_by_conf: bool = True,
        source_message: Message | None = None,
    ) -> None:
        """
        Show something as if it had been searched for.

        Args:
            tracks: ``MediaEntry``, ``Playlist`` or ``PluginStream``, or the dicts of these.
            replace: Forget what was found before.
            sort_by_conf: Show what matches best first; else keep the order.
            source_message: On whose behalf.

        Raises:
            UnusableTrack: If it is no list, or one of its members is no track.
        """
        data = {"playlist": _dicts(tracks), "replace": replace, "sort_by_conf": sort_by_conf}
        self._say(source_message, "ovos.common_play.search.populate", data)

    def play(
        self,
        tracks: list[Any],
        utterance: str | None = None,
        source_message: Message | None = None,
    ) -> None:
        """
        Play something instead of what is being played.

        Args:
            tracks: ``MediaEntry``, ``Playlist`` or ``PluginStream``, or the dicts of these; or a
                ``Playlist``. They are played one after the other; but if the first is a
                ``Playlist``, it is played, and the others are what the user can choose instead.
            utterance: What the user said.
            source_message: On whose behalf.

        Raises:
            UnusableTrack: If it is no list, one of its members is no track, or there is nothing in
                it to play.
        """
        from ovos_utils.ocp import Playlist

        entries = _normal(tracks)
        others: list[Any] = []
        if entries and isinstance(entries[0], Playlist) and not isinstance(entries, Playlist):
            others, entries = entries, entries[0]
        if not entries:
            raise UnusableTrack(tracks, "at least one track")
        playlist = _dicts(entries)
        data = {
            "media": playlist[0],
            "playlist": playlist,
            "disambiguation": _dicts(others),
            "utterance": utterance or "",
        }
        self._say(source_message, "ovos.common_play.play", data)

    def stop(self, source_message: Message | None = None) -> None:
        """Stop, and forget what was to be played."""
        self._say(source_message, "ovos.common_play.stop")

    def next(self, source_message: Message | None = None) -> None:
        """Play the next track."""
        self._say(source_message, "ovos.common_play.next")

    def prev(self, source_message: Message | None = None) -> None:
        """Play the track before."""
        self._say(source_message, "ovos.common_play.previous")

    def pause(self, source_message: Message | None = None) -> None:
        """Pause."""
        self._say(source_message, "ovos.common_play.pause")

    def resume(self, source_message: Message | None = None) -> None:
        """Go on after `pause`."""
        self._say(source_message, "ovos.common_play.resume")

    def seek_forward(self, seconds: Seconds = 1, source_message: Message | None = None) -> None:
        """Go ``seconds`` forward."""
        self._say(source_message, "ovos.common_play.seek", {"seconds": in_seconds(seconds)})

    def seek_backward(self, seconds: Seconds = 1, source_message: Message | None = None) -> None:
        """Go ``seconds`` back."""
        self._say(source_message, "ovos.common_play.seek", {"seconds": -in_seconds(seconds)})

    def get_track_length(self, source_message: Message | None = None) -> float:
        """Return how long the track is, in milliseconds; 0 if nobody says within 1 s."""
        return self._milliseconds(source_message, "length")

    def get_track_position(self, source_message: Message | None = None) -> float:
        """Return how much of the track was played, in milliseconds; 0 if nobody says in 1 s."""
        return self._milliseconds(source_message, "position")

    def set_track_position(
        self, miliseconds: Seconds, source_message: Message | None = None
    ) -> None:
        """
        Go on playing somewhere else in the track.

        Args:
            miliseconds: Milliseconds from its beginning, or a ``timedelta``.
            source_message: On whose behalf.
        """
        if isinstance(miliseconds, timedelta):
            miliseconds = miliseconds.total_seconds() * 1000
        data = {"position": miliseconds}
        self._say(source_message, "ovos.common_play.set_track_position", data)

    def track_info(self, source_message: Message | None = None) -> dict[str, Any]:
        """Return what is known of the track; nothing if nobody says within 3 s."""
        return self._ask(source_message, "ovos.common_play.track_info")

    def available_backends(self, source_message: Message | None = None) -> dict[str, Any]:
        """Return what the player plays with, by name; nothing if nobody says within 3 s."""
        return self._ask(source_message, "ovos.common_play.list_backends")

    def _milliseconds(self, source: Message | None, what: str) -> float:
        answer = self._ask(source, f"ovos.common_play.get_track_{what}", timeout=STATE_TIMEOUT)
        value = answer.get(what)
        return value if isinstance(value, int | float) else 0


def _normal(tracks: list[Any]) -> list[Any]:
    """Return tracks normalised; a list of the caller's stays as it is."""
    return norm_tracks([*tracks] if type(tracks) is list else tracks)


def _dicts(tracks: list[Any]) -> list[dict[str, Any]]:
    """Return tracks as they travel."""
    return [track_dict(track) for track in _normal(tracks)]
