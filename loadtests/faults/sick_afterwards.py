"""A node is sick afterwards: it does all it is asked to do and saves it, and answers 500 all the same."""

from __future__ import annotations

from compose.cluster import Limits, Trouble
from loadtests.faults.bases import REQUEST_REPEATED, RETRIED_ELSEWHERE
from loadtests.faults.effects import Effect, FaultMarks, RepeatsRequests, over, retried_elsewhere, since
from loadtests.faults.sick import Sick


class SickAfterwards(Sick):
    """500 after each page: whoever asks again asks for it twice."""

    kind = "sick-afterwards"
    colour = "#c71e4f"
    doing = "Sickening"
    done = "sick after its work"
    button = "Sick afterwards"
    free_play = 0
    causes = (RETRIED_ELSEWHERE, REQUEST_REPEATED)
    sentence = (
        "A node does what it is asked and saves it, and then answers 500; its health check says that all is well."
    )
    trouble = Trouble(errors="afterwards")

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # Others answer in its place and do again what it has done: without retries nobody does.
        repeats = RepeatsRequests(since(marks), over(marks), REQUEST_REPEATED.name, marks.victim)
        return (*retried_elsewhere(marks, limits), repeats) if limits.balancer_retries else ()
