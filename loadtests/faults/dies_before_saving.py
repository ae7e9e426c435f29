"""A node dies between the commit of an order and the saving of the session."""

from compose.cluster import Limits
from loadtests.faults.bases import REQUEST_REPEATED, NodeGoesDown
from loadtests.faults.contract import Cure, Target
from loadtests.faults.effects import Effect, FaultMarks, RepeatsRequests
from shared.sessions import Injection


class DiesBeforeSaving(NodeGoesDown):
    """It is told beforehand, and then any checkout is its last: the order is made, and nobody hears of it."""

    kind = "dies-before-saving"
    colour = "#c04468"
    doing = "Ending at its next order"
    done = "gone between an order's commit and the saving of the session"
    button = "Die before saving"
    causes = (*NodeGoesDown.causes, REQUEST_REPEATED)
    cures = (
        Cure(
            "A node dies after it has made an order and before it has answered, and the balancer asks another one.",
            "The shop must remember the keys that it has seen.",
            "order-then-death-without-keys",
            "order-then-death",
            measure="orders_duplicated",
        ),
    )
    sentence = "A node's process ends as soon as it has committed an order: before it saves the session or answers."

    def inject(self, target: Target) -> None:
        target.cluster.trouble(target.victim, Injection(dies_before_saving=True))

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        down = super().effects(marks, limits)
        if not limits.balancer_retries:
            return down
        # It had done what it was asked, and another node was asked for it again.
        return (*down, RepeatsRequests.of(marks, REQUEST_REPEATED.name))
