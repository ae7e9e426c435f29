"""The contracts of checks and of tallies, which both read the history, and say all there is to say of what they find:
a rule, words for people, and the measures by which scenarios can predict it.

A check names losses of one kind, each with a witness and a cause.

A check never decides alone what a shopper may expect: `loadtests.session_model.expectations` does, for live shoppers
and checks alike. What a check adds is the proof. The smallest one is `wrong_user.py`. A check that raises is *unknown*,
never a pass: `loadtests.judging.replay` catches it and the verdict says so.

A tally counts what is no loss (an answer that took long and still came, say): whom it happened to, and how often. The
smallest one is `rate_limited.py`. Most exchanges are a quick ok; `loadtests.judging.replay` tells tallies of all
others, and of everything while one of them follows somebody.
"""

from collections.abc import Iterable
from typing import ClassVar

from loadtests.checks.witness import before_loss, in_database, witness_event
from loadtests.model.history import Exchange, StoredOrder
from loadtests.model.measures import Measure
from loadtests.model.results import Cause, Counted, Loss, WitnessEvent
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import Reason, reason_of_cart_loss
from loadtests.session_model.circumstances import Circumstances
from loadtests.session_model.shopper_trace import AcknowledgedOrder, ShopperTrace
from loadtests.session_model.timeline import RunTimeline


class Check:
    """One kind of loss. A check overrides what it needs to hear of; it is told everything in the history's order."""

    kind: ClassVar[str]
    rule: ClassVar[str]
    """When it accuses, in one sentence for the reference."""
    happened: ClassVar[str]
    """What happened to the shopper: (shopper 7) "lost the whole cart"."""
    singular: ClassVar[str]
    """What one of them is called: (1) "cart lost whole"."""
    plural: ClassVar[str]
    """And several: (20) "carts lost whole"."""
    measures: ClassVar[tuple[Measure, ...]]
    """What can be predicted of it; the first one counts its losses or the people who had them."""
    breaks: ClassVar[str] = ""
    """The session guarantee that is broken (Terry et al., 1994), if one is."""
    field: ClassVar[str] = ""
    """The field of `ArchitectureResult` that counts its losses, if one does; of others the list of losses tells."""
    causes: ClassVar[tuple[Cause, ...]] = ()
    """Causes that this check alone names."""

    def __init__(self, around: Circumstances) -> None:
        self.around = around
        """What surrounds the sessions; of a run that still goes on, that grows."""
        self.losses: list[Loss] = []

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """An answer contradicts what had been acknowledged, with a finding of this check's kind.

        The exchanges that `person` keeps are still those from before this one.
        """

    def elsewhere(self, person: ShopperTrace, exchange: Exchange) -> None:
        """What came of a request with other cookies than the shopper's own (`Exchange.jar`); no memory hears of it."""

    def stored(self, order: StoredOrder, checkout: Exchange | None) -> None:
        """The database holds this order; `checkout` is the request that it says it was made by (None: nobody's)."""

    def promised(self, promise: AcknowledgedOrder, order: StoredOrder | None) -> None:
        """An order was acknowledged, and this is what the database holds under its number (None: nothing)."""

    def close(self) -> None:
        """The history has ended."""

    def lose(self, exchange: Exchange, why: Reason, witness: Iterable[WitnessEvent | None], *, items: int = 0) -> None:
        """Name a loss that this exchange showed; witnesses that do not exist are left out."""
        proof = tuple(event for event in witness if event is not None)
        at_ms = exchange.done_us / 1000
        self.losses.append(
            Loss(
                self.kind, exchange.shopper, at_ms, exchange.node, why.cause, proof, items,
                why.because, why.counterfactual, why.considered,
            )
        )  # fmt: skip


class CartCheck(Check):
    """A kind of loss that an answer shows which has the cart."""

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the last cart that was shown, the way from there, and this answer; and by there being no order."""
        why = reason_of_cart_loss(self.around, person, exchange)
        proof = [*before_loss(why, person), witness_event(exchange)]
        if finding.unmade is not None:
            asked = [event for event in (*proof, witness_event(finding.unmade)) if event is not None]
            # Once each: that checkout may be the answer itself, or the one as a stranger, where it was repeated.
            once = dict.fromkeys(sorted(asked, key=lambda event: event.at_ms))
            proof = [*once, in_database(None, exchange.done_us / 1000)]
        self.lose(exchange, why, proof, items=finding.items)


class Tally:
    """Counts one thing that happens to shoppers."""

    name: ClassVar[str]
    """Its key in `ArchitectureResult.counts`."""
    rule: ClassVar[str]
    """When it counts, in one sentence for the reference."""
    measures: ClassVar[tuple[Measure, ...]]
    """What can be predicted of it."""

    def __init__(self, scene: RunTimeline) -> None:
        self.scene = scene
        self.hears_all = False
        """It wants to hear of quick oks as well: that costs time."""
        self.following: set[int] = set()
        """Shoppers of whom it wants to hear everything; as long as there are any, it does."""
        self._events: dict[int, int] = {}

    def saw(self, exchange: Exchange) -> None:
        """Something that was not a quick ok, a login, a logout, or an exchange of a shopper whom it follows."""
        raise NotImplementedError

    def count(self, exchange: Exchange) -> None:
        """It happened to this shopper, once more."""
        self._events[exchange.shopper] = self._events.get(exchange.shopper, 0) + 1

    def counted(self) -> Counted:
        """How many shoppers it happened to, and how often in all."""
        return Counted(len(self._events), sum(self._events.values()))
