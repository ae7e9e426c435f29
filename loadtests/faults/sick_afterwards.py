"""A node is sick afterwards: it does all it is asked to do and saves it, and answers 500 all the same."""

from __future__ import annotations

from compose.changes import Reply, Trouble
from compose.cluster import Limits
from loadtests.faults.bases import REQUEST_REPEATED, RETRIED_ELSEWHERE, TroublesPages
from loadtests.faults.effects import Effect, FaultMarks, RepeatsRequests, over, retried_elsewhere, since


class SickAfterwards(TroublesPages):
    """500 after each page: whoever asks again asks for it twice."""

    kind = "sick-afterwards"
    colour = "#c71e4f"
    doing = "Sickening"
    done = "sick after its work"
    button = "Sick afterwards"
    causes = (RETRIED_ELSEWHERE, REQUEST_REPEATED)
    sentence = (
        "A node does what it is asked and saves it, and then answers 500; its health check says that all is well."
    )
    trouble = Trouble(errors="afterwards")

    def suffers(self, page: Reply) -> bool:
        """It is an error."""
        return page.status == 500

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """Where the balancer retries, others answer in its place, and do again what it has done."""
        repeats = RepeatsRequests(since(marks), over(marks), REQUEST_REPEATED.name, marks.victim)
        return (*retried_elsewhere(marks, limits), repeats) if limits.balancer_retries else ()
