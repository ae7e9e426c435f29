"""A round that never was: sticky memory to the left, Redis to the right, n2 killed at 8 s. No clock, no chance."""

from __future__ import annotations

import time
from collections.abc import Iterator

from loadtests.model.results import Loss, WitnessEvent
from loadtests.workshop.contract import (
    WORKSHOP_SCHEMA,
    Button,
    FaultMark,
    Frame,
    Guest,
    GuestView,
    LiveCounts,
    LiveFault,
    LossView,
    NodeState,
    NodeView,
    PartView,
    Phase,
    Round,
    RoundSide,
    ShopperState,
    ShopperView,
    SideFrame,
    WaitsView,
    Workshop,
    guest_name,
)

SHOPPERS = 30
NODES = ("n1", "n2", "n3")
STEP_MS = 250
KILLED_MS = 8000
SEEN_MS = 8250
HEALED_MS = 14000
LAST_MS = 18000
LONG_AGO_US = 30_000_000
"""So that all of it has been, however fast the browser is: nothing in it depends on the clock."""
COLOUR = "#8a6d00"
VICTIM = "n2"
GUESTS = tuple(Guest(guest_name(seat), "open-sesame") for seat in range(4))

KILL = Button("kill", "Kill", "The node's process is killed; it is healed by starting it again, empty.", "node", COLOUR)
STORE_KILL = Button("store-kill", "Kill the store", "The session store is killed.", "store", "#5a4fcf")


def side(name: str, architecture: str, *, stateful: bool) -> RoundSide:
    parts = (*NODES, "balancer") if stateful else (*NODES, "balancer", "store")
    return RoundSide(name, architecture, stateful, "http://127.0.0.1:1", NODES, parts, GUESTS)  # type: ignore[arg-type]


SIDES = (side("left", "sticky-memory", stateful=True), side("right", "redis", stateful=False))


def workshop(
    phase: Phase, *, version: int = 1, episode: str = "kill-one-of-three", predict: bool = True, folder: str = "",
    broken: tuple[LiveFault, ...] = (), number: int = 1, until_ms: int = LAST_MS,
) -> Workshop:  # fmt: skip
    epoch_us = time.time_ns() // 1000 - LONG_AGO_US if phase not in ("starting", "predict") else 0
    the_round = Round(
        number, phase, episode, folder, SIDES, SHOPPERS, (KILL, STORE_KILL), broken, epoch_us, until_ms
    )  # fmt: skip
    return Workshop(WORKSHOP_SCHEMA, version, predict, the_round, ("where-does-your-cart-live", "kill-one-of-three"))


def home(shopper: int) -> str:
    """The node that the left side's cookie names."""
    return NODES[shopper % len(NODES)]


def frames(until_ms: int = LAST_MS) -> Iterator[Frame]:
    """Every quarter of a second; the first one tells everything."""
    for at_ms in range(0, until_ms + 1, STEP_MS):
        yield Frame(at_ms, _left(at_ms), _right(at_ms))


def losses() -> tuple[LossView, ...]:
    """Of the left side: everybody whose home is n2, when they come back."""
    hit = [shopper for shopper in range(1, SHOPPERS + 1) if home(shopper) == VICTIM]
    return tuple(
        LossView(number, "logged_out", shopper, SEEN_MS + 150 * number, "node_killed")
        for number, shopper in enumerate(hit)
    )


def loss(number: int) -> Loss:
    """With its witness; of more than ten events, so that the page must leave some out."""
    view = losses()[number]
    asked = tuple(
        WitnessEvent(2000.0 + 400 * turn, f"asked for the cart: {turn} items", VICTIM, f"r-{view.shopper}-{turn}")
        for turn in range(1, 10)
    )
    end = (
        WitnessEvent(float(KILLED_MS), "n2 killed", VICTIM),
        WitnessEvent(
            float(view.at_ms), "asked for the cart: answered as a stranger (401)", "n3", f"r-{view.shopper}-99"
        ),
    )
    first = WitnessEvent(600.0, "login acknowledged", VICTIM, f"r-{view.shopper}-0")
    without = "without killing n2 at 5.0 s, this session was good until 3,600.6 s"
    proof = (first, *asked, *end)
    return Loss("logged_out", view.shopper, float(view.at_ms), "n3", "node_killed", proof, counterfactual=without)


def _left(at_ms: int) -> SideFrame:
    dead = SEEN_MS <= at_ms < HEALED_MS
    lost = [view for view in losses() if at_ms - STEP_MS < view.at_ms <= at_ms]
    so_far = sum(view.at_ms <= at_ms for view in losses())
    moved = at_ms >= SEEN_MS
    return SideFrame(
        nodes=_nodes(at_ms, 0 if dead else 10, 10 + so_far // 2, dead=dead),
        parts=_parts(at_ms, "balancer", "database"),
        shoppers=tuple(
            ShopperView(number, node, state, hurt)
            for number in range(1, SHOPPERS + 1)
            for node, state, hurt in [_shopper(number, at_ms)]
            if at_ms == 0 or (node, state, hurt) != _shopper(number, at_ms - STEP_MS)
        ),
        counts=LiveCounts(so_far, so_far // 2, 3 if moved else 0, 1 if moved else 0, at_ms // 20, SHOPPERS),
        losses=tuple(lost),
        marks=_marks(at_ms),
        waits=_waits(at_ms, slow=dead),
        guests=_guest(at_ms),
    )


def _guest(at_ms: int) -> tuple[GuestView, ...]:
    """Whose node dies: they have not asked since."""
    seen = GuestView(GUESTS[0].user, VICTIM, logged_in=at_ms < SEEN_MS, undecided=at_ms >= SEEN_MS)
    return (seen,) if at_ms in (3000, SEEN_MS) else ()


def _right(at_ms: int) -> SideFrame:
    dead = SEEN_MS <= at_ms < HEALED_MS
    turn = at_ms // STEP_MS
    alive = [node for node in NODES if not (dead and node == VICTIM)]
    asking = [number for number in range(1, SHOPPERS + 1) if (number + turn) % 3 == 0]
    everybody = range(1, SHOPPERS + 1)
    return SideFrame(
        nodes=_nodes(at_ms, 0, 0, dead=dead, others=0),
        parts=_parts(at_ms, "balancer", "store", "database"),
        shoppers=tuple(
            ShopperView(
                number, alive[(number + turn) % len(alive)] if at_ms > 50 * number else "", _in(number, at_ms), False
            )
            for number in (everybody if at_ms == 0 else asking)
        ),
        counts=LiveCounts(0, 0, 2 if at_ms >= SEEN_MS else 0, 0, at_ms // 20, SHOPPERS),
        marks=_marks(at_ms),
        waits=_waits(at_ms, slow=False),
        guests=(GuestView(GUESTS[0].user, "n1", logged_in=True),) if at_ms == 3000 else (),
    )


def _in(number: int, at_ms: int) -> ShopperState:
    return "shopping" if at_ms > 50 * number else "outside"


def _shopper(number: int, at_ms: int) -> tuple[str, ShopperState, bool]:
    """Where the left side's shopper is: at home, or forgotten for three seconds, or back on another node."""
    if at_ms <= 50 * number:
        return "", "outside", False
    lost = next((view.at_ms for view in losses() if view.shopper == number), None)
    if lost is None or at_ms < lost:
        return home(number), "shopping", False
    away = NODES[2] if number % 2 else NODES[0]
    if at_ms < lost + 3000 or number == losses()[0].shopper:
        return away, "logged_out", True
    return away, "shopping", True


def _nodes(at_ms: int, victims: int, second: int, *, dead: bool, others: int = 10) -> tuple[NodeView, ...] | None:
    if at_ms not in (0, KILLED_MS, SEEN_MS, HEALED_MS) and at_ms % 1000:
        return None
    states: dict[str, NodeState] = {VICTIM: "dead" if dead else "broken" if at_ms == KILLED_MS else "up"}
    sessions = {"n1": others and second, VICTIM: -1 if dead else victims, "n3": others and second}
    return tuple(
        NodeView(name, states.get(name, "up"), sessions[name], "kill" if states.get(name, "up") != "up" else "")
        for name in NODES
    )


def _parts(at_ms: int, *names: str) -> tuple[PartView, ...] | None:
    return tuple(PartView(name, "up") for name in names) if at_ms == 0 else None


def _marks(at_ms: int) -> tuple[FaultMark, ...]:
    steps = {KILLED_MS: "injected", SEEN_MS: "observed", HEALED_MS: "healed", HEALED_MS + STEP_MS: "observed_healed"}
    return (FaultMark(0, "kill", VICTIM, steps[at_ms], at_ms, COLOUR),) if at_ms in steps else ()


def _waits(at_ms: int, *, slow: bool) -> tuple[WaitsView, ...]:
    if at_ms % 1000 or at_ms == 0:
        return ()
    second = at_ms // 1000 - 1
    return (WaitsView(second, 50, 4 if slow and second == 8 else 0, 9.0 + second % 3, 900.0 if slow else 31.0),)
