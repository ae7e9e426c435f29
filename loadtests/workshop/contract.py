"""What the parts of a workshop tell each other: harness (owns the clusters), dashboard (shows them), browsers.

A workshop is a row of *rounds*. A round is a run like any other, in a folder of its own, but both architectures are
measured at the same time, and its faults are not planned: somebody presses a button. When it is closed, the faults as
they went become its plan, so that it can be judged and reported like every run.

    harness ── workshop.json (`Workshop`, written whole at each change) ──> dashboard ── events ──> browsers
    harness <── commands (`Command`, answered by `CommandReply`) ── dashboard, `twinshop goto`, `twinshop rehearse`
    run folder (history, events, logs: they grow) ── read by the dashboard ──> `Frame`s
"""

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from loadtests.model.run_folder import read_versioned

WORKSHOP_SCHEMA = 1

Phase = Literal["starting", "open", "predict", "run", "closing", "explain", "failed"]
"""starting: clusters are coming up. open: free play: people shop, every button works, nothing is covered. predict: an
episode's clusters stand, nobody shops yet and nothing can be broken, so that there is no result to be seen anywhere.
run: predictions are closed, people shop, the episode's buttons work. closing: the last audit, judging and the report.
explain: the round is over, its report is there. failed: it could not be carried out; `Round.why` says why."""

LIVE_PHASES: frozenset[Phase] = frozenset({"open", "run"})  # people shop, and things can be broken

SideName = Literal["left", "right"]
SIDES: tuple[SideName, SideName] = ("left", "right")
SEATS = 61  # accounts of theirs in both shops: sixty participants, and the instructor


class Guest(msgspec.Struct, frozen=True):
    """An account that no simulated shopper uses: for a person with a browser, the same one in both shops."""

    user: str
    """The same all workshop long (`guest_name`)."""
    password: str
    """Another one in each round: who knows an old one cannot look into a round that is still covered for them."""


def guest_name(seat: int) -> str:
    """The account of that seat; the instructor's is 0."""
    return f"guest-{seat:02d}"


class Participant(msgspec.Struct, frozen=True):
    """A person of the room."""

    user: str
    """Their account in both shops."""
    name: str
    """As they want to be called: whatever they typed, hence text and never markup."""


class RoundSide(msgspec.Struct, frozen=True):
    """One of the two shops of a round."""

    side: SideName
    architecture: str
    """By its name in the run's files. Where one architecture stands behind two balancers, it says which:
    `sticky-memory-haproxy`."""
    stateful: bool
    """Which of the two shops it is (`stateful_app`), hence its colour."""
    shop_url: str
    """Of its public listener, as this machine calls it; a browser of the room puts in the name by which it has reached
    the dashboard. "": people cannot enter it."""
    nodes: tuple[str, ...]
    parts: tuple[str, ...]
    """All parts: nodes, `balancer`, where there are any `store`, `replica`, `sentinel`."""
    guests: tuple[Guest, ...]


class Button(msgspec.Struct, frozen=True):
    """A fault that can be made now."""

    kind: str
    """As in `loadtests.faults.FAULTS`."""
    label: str
    sentence: str
    """What is broken, and how it is healed."""
    strikes: str
    """`node`, `store`, … `cluster`: what can be its victim."""
    colour: str


class LiveFault(msgspec.Struct, frozen=True):
    """A fault of this round that was made, and is not seen to be healed yet."""

    fault: int
    """Its number in this round, from 0: its index among the plan's faults once the round is closed."""
    sides: tuple[SideName, ...]
    kind: str
    victim: str
    healing: bool = False


class Round(msgspec.Struct, frozen=True):
    """One round as it is now."""

    number: int
    """From 1."""
    phase: Phase
    episode: str = ""
    """The episode's name; "" is free play."""
    folder: str = ""
    """The run's folder."""
    sides: tuple[RoundSide, ...] = ()
    """Left and right; empty while starting."""
    shoppers: int = 0
    buttons: tuple[Button, ...] = ()
    broken: tuple[LiveFault, ...] = ()
    epoch_us: int = 0
    """Wall clock at the zero of both sides' load windows, which is the same; 0 before anybody shops."""
    window_ms: int = 0
    """When it would be closed by itself."""
    why: str = ""
    """Of a failed round."""
    run: str = ""
    """The run's id: with it end the names of the cookies of its shops."""


class Workshop(msgspec.Struct, frozen=True):
    """`workshop.json`: what the dashboard must know beside the run's own files."""

    schema: int
    version: int
    """One more at each change."""
    predict: bool
    """Off (`--no-predict`): episodes begin in `run`."""
    round: Round
    episodes: tuple[str, ...]
    """Names, in the order of the lesson."""
    participants: tuple[Participant, ...] = ()
    """Who is in the room: the dashboard knows, and tells those who watch."""


_decode_workshop = msgspec.json.Decoder(Workshop).decode


def read_workshop(path: Path) -> Workshop:
    """Read `workshop.json`.

    Raises:
        RunFolderError: it is missing, damaged, or of another schema.
    """
    return read_versioned(path, _decode_workshop, WORKSHOP_SCHEMA, "start the workshop with this version")


# --- commands: JSON, one question and one answer over the control socket


class Begin(msgspec.Struct, frozen=True, tag_field="do", tag="begin"):
    """Close the round, if one is open, and begin another: that episode's, or free play ("")."""

    episode: str = ""


class Release(msgspec.Struct, frozen=True, tag_field="do", tag="release"):
    """Predictions are closed: from `predict` to `run`."""


class Break(msgspec.Struct, frozen=True, tag_field="do", tag="break"):
    """Make a fault, on one side or on both at once."""

    kind: str
    sides: tuple[SideName, ...]
    victim: str = ""
    """A part; "": the only one it can strike, or of nodes the one with the lowest number that is up."""


class Heal(msgspec.Struct, frozen=True, tag_field="do", tag="heal"):
    """Mend a fault; without a number, all of them."""

    fault: int | None = None


class Close(msgspec.Struct, frozen=True, tag_field="do", tag="close"):
    """The last audit, then judge and report: from `open` or `run` to `explain`."""


class EndWorkshop(msgspec.Struct, frozen=True, tag_field="do", tag="end"):
    """The workshop is over."""


Command = Begin | Release | Break | Heal | Close | EndWorkshop


class CommandReply(msgspec.Struct, frozen=True):
    """What became of a command. Commands return at once; what they bring about is seen in `workshop.json`."""

    ok: bool
    why: str = ""
    next_step: str = ""


# --- what people say


class CommittedPrediction(msgspec.Struct, frozen=True):
    """One person's prediction; a line of `predictions.ndjson` in the round's folder. It cannot be changed."""

    at_us: int
    """Wall clock, microseconds since 1970."""
    who: str
    """A random id of the watcher; no name unless they gave one."""
    name: str
    answers: dict[str, str]
    """By question id: a number, or the value of a choice, as text."""
    reason: str


# --- what the browser is told, as server-sent events: `loadtests.workshop.dashboard` says how

ShopperState = Literal["outside", "shopping", "logged_out"]
"""outside: not logged in yet, or logged out by themselves. logged_out: answered as a stranger, and not in again yet."""


class ShopperView(msgspec.Struct, frozen=True, array_like=True):
    """A shopper, as a dot."""

    shopper: int
    node: str
    """Who answered last; "" if nobody has."""
    state: ShopperState
    hurt: bool
    """Has lost something in this round, whatever it is now."""


NodeState = Literal["up", "dead", "frozen", "broken"]
"""dead: killed or stopped, or it does not answer; broken: another fault holds it."""


class NodeView(msgspec.Struct, frozen=True):
    """A node, as a box; a dead one stays."""

    name: str
    state: NodeState
    sessions: int
    """That it holds in its memory; -1: it did not say."""
    fault: str = ""
    """The kind of the fault that holds it."""


class PartView(msgspec.Struct, frozen=True):
    """The balancer, the store, the database, as a box."""

    name: str
    state: Literal["up", "broken"]
    fault: str = ""


class LiveCounts(msgspec.Struct, frozen=True):
    """The four numbers, and what they are numbers of; each as results.json defines it."""

    logged_out: int = 0
    carts_lost: int = 0
    failed: int = 0
    unknown: int = 0
    actions: int = 0
    shoppers: int = 0


class LossView(msgspec.Struct, frozen=True):
    """A loss, to be clicked. Of each shopper the first 20 are told; `LiveCounts` counts all."""

    loss: int
    """Its number on this side, from 0, in the order in which they were found."""
    kind: str
    shopper: int
    at_ms: int
    cause: str


class FaultMark(msgspec.Struct, frozen=True):
    """One step of one fault, for the time line."""

    fault: int
    kind: str
    victim: str
    phase: str
    """As in `loadtests.model.events.FaultPhase`."""
    at_ms: int
    colour: str


class WaitsView(msgspec.Struct, frozen=True):
    """How long people waited in one second that is over."""

    second: int
    """In which planned actions were over; a second of which more becomes known later is told again."""
    asked: int
    """Those of them that were sent."""
    failed: int
    """Those that the shopper saw fail, or of which it never knew, whatever a later answer settles."""
    median_ms: float
    """Of the answers, from their sending, but for what is slow on purpose; 0 without any."""
    p95_ms: float


class GuestView(msgspec.Struct, frozen=True):
    """A person with a browser."""

    user: str
    node: str
    """Who served them last."""
    logged_in: bool
    """As that node took them; not any more once the memory that held their session is gone."""
    lost: bool = False
    """Was logged out in this round, and not by themselves; whatever they are now."""
    undecided: bool = False
    """The memory that held their session is gone, and they have not asked since: nobody has told them yet."""


class SideFrame(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has changed on one side; of a picture: everything."""

    nodes: tuple[NodeView, ...] | None = None
    """All of them, if one has changed."""
    parts: tuple[PartView, ...] | None = None
    shoppers: tuple[ShopperView, ...] = ()
    counts: LiveCounts | None = None
    losses: tuple[LossView, ...] = ()
    marks: tuple[FaultMark, ...] = ()
    waits: tuple[WaitsView, ...] = ()
    guests: tuple[GuestView, ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """What has changed since the frame before, at most four times a second."""

    at_ms: int
    """Since the zero of the load windows."""
    left: SideFrame
    right: SideFrame


class Picture(msgspec.Struct, frozen=True):
    """Everything up to a moment: what all frames before come to."""

    round: int
    at_ms: int
    left: SideFrame
    right: SideFrame


# --- what a frame does to a picture; the browser does the same, in `dashboard/static`
#
# Nodes, parts and counts: a frame that has them has all of them. Everything else is a table: a row of the frame takes
# the place of the row with the same key, in its place; a row with a new key comes to the end.

T = TypeVar("T")


def empty_picture(round_number: int) -> Picture:
    """Before the first frame."""
    return Picture(round_number, 0, SideFrame(), SideFrame())


def applied(picture: Picture, frame: Frame) -> Picture:
    """The picture after this frame."""
    return Picture(picture.round, frame.at_ms, _side(picture.left, frame.left), _side(picture.right, frame.right))


def mark_key(mark: FaultMark) -> Hashable:
    """Each step of a fault is taken once."""
    return mark.fault, mark.phase


def _side(before: SideFrame, news: SideFrame) -> SideFrame:
    return SideFrame(
        nodes=before.nodes if news.nodes is None else news.nodes,
        parts=before.parts if news.parts is None else news.parts,
        counts=before.counts if news.counts is None else news.counts,
        shoppers=_table(before.shoppers, news.shoppers, lambda view: view.shopper),
        losses=_table(before.losses, news.losses, lambda view: view.loss),
        marks=_table(before.marks, news.marks, mark_key),
        waits=_table(before.waits, news.waits, lambda waits: waits.second),
        guests=_table(before.guests, news.guests, lambda guest: guest.user),
    )


def _table(before: tuple[T, ...], news: Iterable[T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    if not news:
        return before
    rows = {key(row): row for row in before}  # a dict keeps a row's place when its value is replaced
    rows.update((key(row), row) for row in news)
    return tuple(rows.values())
