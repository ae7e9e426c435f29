"""Doing two things at once in a load process: a greenlet each."""

from __future__ import annotations

from collections.abc import Callable

import gevent

STOPPED_WITHIN_S = 2.0
"""Whoever is interrupted has only to write down what it did not do any more."""


class GreenletJob:
    """One thing that is being done beside others; what it raises is for whoever joins it."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._raised: BaseException | None = None
        self._greenlet = gevent.spawn(self._run)

    def join(self) -> None:
        """Wait until it is done; raises what it raised."""
        self._greenlet.join()
        if self._raised is not None:
            raise self._raised

    def stop(self) -> None:
        """Interrupt it, and wait until it has taken note. No-op if it is done."""
        self._greenlet.kill(timeout=STOPPED_WITHIN_S)

    def _run(self) -> None:
        try:
            self._do()
        except BaseException as error:  # noqa: BLE001 - a greenlet that raises would print it and tell nobody
            self._raised = error
