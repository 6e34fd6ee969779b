"""
What is played: the forms in which programs hand tracks over, and those in which they travel.

The types (``MediaEntry``, ``Playlist``, ``PluginStream``) are those of ``ovos_utils.ocp``, which
is imported when there is a track to look at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ovos_bus_client.errors import UnusableTrack

__all__ = ["ensure_uri", "norm_tracks", "track_dict", "uris"]

# RFC 3986 §3.1. What follows the colon of "Song: live.mp3" says that it is none.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\s)")

_MEDIA = "a MediaEntry, a Playlist, a PluginStream, or the dict of one (uri, playlist, or stream)"


def ensure_uri(s: Any) -> Any:
    """
    Return a track of the audio service as a URI.

    Args:
        s: A URI or the path of a file, which becomes ``file://`` and its absolute path; or a pair
            of that and a MIME type.

    Returns:
        The URI, or the pair with the URI in it, as a tuple.

    Raises:
        UnusableTrack: If it is neither.
    """
    if isinstance(s, str):
        return s if _SCHEME.match(s) else f"file://{Path(s).absolute()}"
    if isinstance(s, list | tuple) and len(s) == 2 and isinstance(s[0], str):
        return ensure_uri(s[0]), s[1]
    raise UnusableTrack(s, "a URI, a path, or a pair of one and a MIME type")


def uris(tracks: Any) -> list[Any]:
    """
    Return tracks as the audio service takes them.

    Args:
        tracks: A list of what `ensure_uri` takes, or one of that (a pair as a tuple). ``None`` is
            no track.

    Raises:
        UnusableTrack: If one of them is none.
    """
    if tracks is None:
        return []
    if isinstance(tracks, str | tuple):
        return [ensure_uri(tracks)]
    if not isinstance(tracks, list):
        raise UnusableTrack(tracks, "a list of URIs or paths, or one")
    return [ensure_uri(track) for track in tracks]


def norm_tracks(tracks: list[Any]) -> list[Any]:
    """
    Make all members of a list ``MediaEntry`` or ``Playlist``, in place.

    Args:
        tracks: Holds these, ``PluginStream``, dicts of any of the three, or lists of all that,
            which become a ``Playlist`` without a title.

    Returns:
        The same list.

    Raises:
        UnusableTrack: If it is no list, or one of its members is none of these. It is unchanged
            then.
    """
    if not isinstance(tracks, list):
        raise UnusableTrack(tracks, "a list of tracks")
    tracks[:] = [_entry(track) for track in tracks]
    return tracks


def track_dict(track: Any) -> dict[str, Any]:
    """Return a ``MediaEntry`` or a ``Playlist`` as it travels."""
    from ovos_utils.ocp import Playlist

    if isinstance(track, Playlist):
        norm_tracks(track)
    as_dict: dict[str, Any] = track.as_dict
    return as_dict


def _entry(track: Any) -> Any:
    from ovos_utils.ocp import MediaEntry, Playlist, PluginStream

    if isinstance(track, MediaEntry):
        return track
    if isinstance(track, Playlist):
        norm_tracks(track)
        return track
    if isinstance(track, PluginStream):
        return track.as_media_entry
    if isinstance(track, list):
        playlist = Playlist()
        playlist.extend(norm_tracks([*track]))
        return playlist
    if not isinstance(track, dict):
        raise UnusableTrack(track, _MEDIA)
    if isinstance(track.get("playlist"), list):
        entries = norm_tracks([*track["playlist"]])
        playlist = Playlist.from_dict(track | {"playlist": []})
        playlist.extend(entries)
        return playlist
    if track.get("stream") and track.get("extractor_id"):
        return PluginStream.from_dict(dict(track)).as_media_entry
    if isinstance(track.get("uri"), str):
        return MediaEntry.from_dict(dict(track))
    raise UnusableTrack(track, _MEDIA)
