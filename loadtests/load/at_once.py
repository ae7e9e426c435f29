"""What one shopper does at the same time: which actions go beside each other, and which requests met on their way."""

from collections.abc import Iterable, Iterator

from loadtests.model.plan import Action

AT_ONCE = 6  # requests of one shopper at most are on their way at once, as many as a browser sends to one server


class OpenRequest:
    """One request of a company, while it is on its way."""

    __slots__ = ("beside", "overlapped", "writes")

    def __init__(self, writes: bool) -> None:
        self.writes = writes
        self.beside = False
        """Another one is, or was, on its way at the same time."""
        self.overlapped = False
        """Another one is, or was, on its way at the same time, and one of the two writes."""


ALONE = OpenRequest(writes=False)
"""Any request of no company: nothing else is on its way that it could meet."""


class ConcurrentGroup:
    """The requests of one action and of those beside it."""

    def __init__(self) -> None:
        self._open: list[OpenRequest] = []

    def begin(self, writes: bool) -> OpenRequest:
        """A request is about to be sent."""
        mine = OpenRequest(writes)
        # Both are marked: the one that began first was not alone either, whichever is answered first.
        for other in self._open:
            mine.beside = other.beside = True
            if writes or other.writes:
                mine.overlapped = other.overlapped = True
        self._open.append(mine)
        return mine

    def end(self, mine: OpenRequest) -> None:
        """It was answered, or given up."""
        self._open.remove(mine)


def concurrent_groups(actions: Iterable[Action]) -> Iterator[tuple[Action, tuple[Action, ...]]]:
    """Each action that waits for the one before, with those that are done beside it."""
    first: Action | None = None
    beside: tuple[Action, ...] = ()
    for action in actions:
        if first is None:
            first = action
        # What would be one too many waits, as in a browser, and begins a group of its own.
        elif action.beside and len(beside) < AT_ONCE - 1:
            beside = (*beside, action)
        else:
            yield first, beside
            first, beside = action, ()
    if first is not None:
        yield first, beside
