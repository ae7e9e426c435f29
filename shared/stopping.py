"""Whether this node was told to stop: known at once in all its processes, so that answers without an end can end."""

import mmap

_flag = mmap.mmap(-1, 1)
"""Memory that processes share after a fork. Where workers are started otherwise it is theirs alone, and never set."""


def stop() -> None:
    """From now on the node is stopping."""
    _flag[0] = 1


def is_stopping() -> bool:
    """Whether it is."""
    return _flag[0] == 1
