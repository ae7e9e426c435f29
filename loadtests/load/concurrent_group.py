"""Actions that are done at the same time: which belong together, and which of them overlapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loadtests.model.plan import Action

AT_ONCE = 6
"""At most so many requests of one shopper are on their way at once, as many as a browser sends to one server."""


class OnTheWay:
    """One request of a company, while it is on its way."""

    __slots__ = ("overlapped", "writes")

    def __init__(self, writes: bool) -> None:
        self.writes = writes
        self.overlapped = False
        """Another one is, or was, on its way at the same time, and one of the two writes."""


class Company:
    """The requests of one action and of those beside it."""

    def __init__(self) -> None:
        self._open: list[OnTheWay] = []

    def begin(self, writes: bool) -> OnTheWay:
        """A request is about to be sent."""
        mine = OnTheWay(writes)
        for other in self._open:
            if writes or other.writes:
                mine.overlapped = other.overlapped = True
        self._open.append(mine)
        return mine

    def end(self, mine: OnTheWay) -> None:
        """It was answered, or given up."""
        self._open.remove(mine)


def in_companies(actions: Iterable[Action]) -> Iterator[tuple[Action, tuple[Action, ...]]]:
    """Each action that waits for the one before, with those that are done beside it."""
    first: Action | None = None
    beside: tuple[Action, ...] = ()
    for action in actions:
        if first is None:
            first = action
        elif action.beside and len(beside) < AT_ONCE - 1:
            beside = (*beside, action)
        else:
            yield first, beside
            first, beside = action, ()
    if first is not None:
        yield first, beside
