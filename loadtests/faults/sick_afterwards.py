"""A node is sick afterwards: it does all it is asked to do and saves it, and answers 500 all the same."""

from loadtests.faults.bases import REQUEST_REPEATED, RETRIED_ELSEWHERE
from loadtests.faults.effects import RepeatsRequests, Unreachable
from loadtests.faults.sick import Sick
from shared.sessions import Injection


class SickAfterwards(Sick):
    """500 after each page: whoever asks again asks for it twice."""

    kind = "sick-afterwards"
    colour = "#c71e4f"
    done = "sick after its work"
    free_play = 0
    causes = (RETRIED_ELSEWHERE, REQUEST_REPEATED)
    brings = (Unreachable, RepeatsRequests)  # others answer in its place, and do again what it has done
    sentence = (
        "A node does what it is asked and saves it, and then answers 500; its health check says that all is well."
    )
    trouble = Injection(errors="afterwards")
