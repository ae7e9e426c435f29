"""How long people waited, second by second."""

from __future__ import annotations

from loadtests.judging.latency import WaitCounter
from loadtests.model.history import NOT_ASKED, Exchange
from loadtests.workshop.contract import WaitsView

KEPT_SECONDS = 30  # what comes later than this does not change the second any more: its single waits are forgotten


class _Second:
    def __init__(self) -> None:
        self.asked = 0
        self.failed = 0
        self.waits = WaitCounter()


class Waiting:
    """Planned actions by the second in which they were over.

    asked: those that were sent. failed: those of them that the shopper saw fail, or of which it never knew, whatever a
    later answer settles. WaitsView: of the answers, from their sending; what is slow on purpose is left out.
    """

    def __init__(self) -> None:
        self.seconds: dict[int, WaitsView] = {}
        self._open: dict[int, _Second] = {}
        self._next = 0
        self._newest = -1

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if exchange.why != "plan" or exchange.do in NOT_ASKED or exchange.outcome == "not_sent":
            return
        number = exchange.done_us // 1_000_000
        if number < self._next - KEPT_SECONDS:
            return
        second = self._open.get(number)
        if second is None:
            second = self._open[number] = _Second()
            self._newest = max(self._newest, number)
        second.asked += 1
        second.failed += exchange.outcome != "ok"
        second.waits.add(exchange)

    def close_until(self, now_us: int, *, over: bool = False) -> tuple[WaitsView, ...]:
        """The seconds that are over since the last time, and those of which more has become known.

        Without a gap: a second in which nobody asked is told, too, once somebody asks again.
        """
        # Not up to now: behind the newest answer there is nothing to tell, and a pause may go on for minutes.
        last = self._newest + 1 if over else min(self._newest + 1, now_us // 1_000_000)
        again = [number for number in sorted(self._open) if number < self._next]
        told = [self._close(each) for each in again if self.seconds[each].asked != self._open[each].asked]
        while self._next < last:
            told.append(self._close(self._next))
            self._next += 1
        return tuple(told)

    def _close(self, number: int) -> WaitsView:
        second = self._open.get(number) or _Second()
        waited = second.waits.close().raw
        waits = WaitsView(number, second.asked, second.failed, waited.p50, waited.p95)
        self.seconds[number] = waits
        for old in [each for each in self._open if each < number - KEPT_SECONDS]:
            del self._open[old]
        return waits
