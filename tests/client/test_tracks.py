"""The forms in which tracks are handed over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client.apis.tracks import ensure_uri, norm_tracks, track_dict, uris
from ovos_bus_client.errors import UnusableTrack


@pytest.mark.parametrize(
    ("given_", "uri"),
    [
        ("http://x/y", "http://x/y"),
        ("file:///a", "file:///a"),
        ("spotify:track:1", "spotify:track:1"),
        ("/a/b.mp3", "file:///a/b.mp3"),
        ("/a/b: c.mp3", "file:///a/b: c.mp3"),
        (("/a", "audio/mp3"), ("file:///a", "audio/mp3")),
        (["http://x", "audio/mp3"], ("http://x", "audio/mp3")),
    ],
)
def test_paths_become_uris(given_: Any, uri: Any) -> None:
    """A path is absolute and has its scheme; a URI stays; a pair keeps its MIME type."""
    assert ensure_uri(given_) == uri


def test_relative_paths_are_of_this_program() -> None:
    """The service has another working directory."""
    assert ensure_uri("a.mp3") == f"file://{os.getcwd()}/a.mp3"
    assert ensure_uri("Song: live.mp3") == f"file://{Path.cwd()}/Song: live.mp3"


@given(st.text())
def test_a_uri_is_a_uri(text: str) -> None:
    """What was made a URI is left as it is."""
    once = ensure_uri(text)

    assert ensure_uri(once) == once


@pytest.mark.parametrize("track", [None, 42, {"uri": "/a"}, [], ["/a"], ["/a", "b", "c"], [1, 2]])
def test_what_is_no_uri_is_an_error(track: Any) -> None:
    """The error shows it, and is one that older programs catch."""
    with pytest.raises(UnusableTrack) as caught:
        ensure_uri(track)

    assert ascii(track) in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        (None, []),
        ([], []),
        ("/a", ["file:///a"]),
        (("/a", "audio/mp3"), [("file:///a", "audio/mp3")]),
        (["/a", ("http://b", "x")], ["file:///a", ("http://b", "x")]),
    ],
)
def test_one_track_or_many(tracks: Any, expected: list[Any]) -> None:
    """One is a list of one, and none is none."""
    assert uris(tracks) == expected


@pytest.mark.parametrize("tracks", [42, {"uri": "/a"}, [None]])
def test_a_list_of_something_else_is_an_error(tracks: Any) -> None:
    """Nothing is left out silently."""
    with pytest.raises(UnusableTrack):
        uris(tracks)


def test_every_form_becomes_one_of_two() -> None:
    """Entries and playlists stay; streams, dicts and lists become one, in place."""
    from ovos_utils.ocp import MediaEntry, Playlist, PluginStream

    entry = MediaEntry(uri="e")
    tracks: list[Any] = [
        entry,
        {"uri": "d"},
        PluginStream("s", "youtube"),
        {"stream": "t", "extractor_id": "youtube"},
        {"title": "P", "playlist": [{"uri": "p"}, {"stream": "u", "extractor_id": "x"}]},
        [{"uri": "l"}],
    ]

    assert norm_tracks(tracks) is tracks
    assert tracks[0] is entry
    assert [type(track) for track in tracks] == [MediaEntry] * 4 + [Playlist] * 2
    assert [track.uri for track in tracks[:4]] == ["e", "d", "youtube//s", "youtube//t"]
    assert [[e.uri for e in playlist] for playlist in tracks[4:]] == [["p", "x//u"], ["l"]]
    assert tracks[4].title == "P"


@pytest.mark.parametrize("bad", [None, "http://a", {"title": "x"}, [{"uri": "a"}, 1]])
def test_one_bad_track_changes_nothing(bad: Any) -> None:
    """The error shows what it is about, and the list is as it was."""
    tracks: list[Any] = [{"uri": "a"}, bad]

    with pytest.raises(UnusableTrack, match="expected a MediaEntry"):
        norm_tracks(tracks)
    assert tracks == [{"uri": "a"}, bad]


def test_a_long_track_is_shown_in_part() -> None:
    """An error stays one line in a log."""
    with pytest.raises(UnusableTrack) as caught:
        norm_tracks([{"title": "x" * 1000}])

    assert len(str(caught.value)) < 250


def test_a_playlist_travels_with_its_entries() -> None:
    """A stream within it travels as what can be played."""
    from ovos_utils.ocp import Playlist, PluginStream

    playlist = Playlist(title="P")
    playlist.append(PluginStream("s", "youtube"))
    sent = track_dict(playlist)

    assert sent["title"] == "P"
    assert [track["uri"] for track in sent["playlist"]] == ["youtube//s"]
