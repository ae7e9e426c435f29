"""A node is sick: it does nothing and answers 500, while its health check says that all is well."""

from compose.cluster import Limits, Reply
from loadtests.faults.bases import RETRIED_ELSEWHERE, TroublesPages
from loadtests.faults.effects import Effect, FaultMarks, Unreachable
from loadtests.model.results import Cause
from shared.sessions import Injection


class Sick(TroublesPages):
    kind = "sick"
    colour = "#de3b40"
    doing = "Breaking"
    formerly = "Sickening"
    done = "sick"
    free_play = 6
    causes: tuple[Cause, ...] = (RETRIED_ELSEWHERE,)
    brings: tuple[type[Effect], ...] = (Unreachable,)
    sentence = "A node answers each request with 500 and does nothing, while its health check says that all is well."
    trouble = Injection(errors="instead")

    def suffers(self, page: Reply) -> bool:
        return page.status == 500

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # As in force then: a fault that switches retries on counts among them. Without, nobody answers in its place.
        return super().effects(marks, limits) if limits.balancer_retries else ()
