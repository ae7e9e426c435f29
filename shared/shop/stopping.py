"""Whether this node was told to stop, known at once in all its processes, so that answers without an end can end."""

import mmap

_stopping = mmap.mmap(-1, 1)
"""They share this memory after a fork. Where workers are started otherwise it is theirs alone, and never set."""


def begin_stopping() -> None:
    """From now on the node is stopping."""
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether it is."""
    return _stopping[0] == 1
