"""Those who have connected and not joined."""

from __future__ import annotations

from ovos_bus.lobby import Lobby


class Visitor:
    """A connection that ends when it is told to."""

    def __init__(self) -> None:
        self.ended = False

    def closed(self) -> bool:
        return self.ended

    def close(self) -> None:
        self.ended = True


def test_who_came_first_goes_first() -> None:
    """One more than there is room for takes the place of the first, and is counted."""
    gone: list[None] = []
    lobby = Lobby(2, lambda: gone.append(None))
    visitors = [Visitor() for _ in range(3)]
    for visitor in visitors:
        lobby.enter(visitor)

    assert [visitor.ended for visitor in visitors] == [True, False, False]
    assert len(gone) == 1


def test_who_joined_takes_no_room() -> None:
    """Nor does one who is gone."""
    lobby = Lobby(2)
    joined, gone, waiting, new = (Visitor() for _ in range(4))
    for visitor in (waiting, joined):
        lobby.enter(visitor)
    lobby.leave(joined)
    lobby.leave(joined)
    lobby.enter(gone)
    gone.close()
    lobby.enter(new)

    assert not waiting.ended
    assert not joined.ended
    assert len(lobby) == 2


def test_who_is_gone_is_not_kept() -> None:
    """The lobby knows visitors and does not hold them."""
    lobby = Lobby()
    lobby.enter(Visitor())

    assert len(lobby) == 0
