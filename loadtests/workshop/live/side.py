"""One side of a round as far as its evidence was read: feed it what the files say, and ask it what has changed."""

from collections import deque
from collections.abc import Hashable, Mapping

import msgspec

from loadtests.faults import FAULTS
from loadtests.judging.books import ActionCounts
from loadtests.model.events import AtRisk, Event, FaultEvent, LoadStarted, NodeSample
from loadtests.model.fault_timeline import NEVER_US
from loadtests.model.history import Exchange, Record, StoredOrder
from loadtests.model.results import Loss
from loadtests.workshop.contract import FaultMark, LiveCounts, LossView, RoundSide, SideFrame, mark_key
from loadtests.workshop.live.browser_users import BrowserUsers, GuestRecord
from loadtests.workshop.live.live_replay import LiveReplay, LiveTimeline
from loadtests.workshop.live.states import NodeStates, ShopperStates, TrackedRows, Waiting

# An answer is judged so long after it came: by then the events that explain it have been written, and so have the
# answers of the other load processes (they write every quarter of a second).
DELAY_US = 500_000
UNKNOWN_COLOUR = "#666666"
MERGED = "history.ndjson"
DATABASE = "database"  # every cluster has one, though nothing strikes it


class SideWatch:
    """One architecture of a round. All times but the nodes' own are microseconds since its load window's zero."""

    def __init__(self, side: RoundSide, shoppers: int, *, delay_us: int = DELAY_US) -> None:
        self.epoch_us: int | None = None
        """Wall clock at the zero; None as long as nobody shops."""
        self._shoppers = shoppers
        self._delay_us = delay_us
        self._scene = LiveTimeline(side.architecture)
        self._replay = LiveReplay(self._scene.scene)
        self._actions = ActionCounts()
        self._shopper_states = ShopperStates(shoppers)
        others = (part for part in side.parts if part not in side.nodes)
        self._node_states = NodeStates(side.nodes, (*others, DATABASE))
        self._waiting = Waiting()
        self.guests = frozenset(guest.user for guest in side.guests)
        self._guests = BrowserUsers(self.guests)
        self._lines: list[GuestRecord] = []
        self._marks: TrackedRows[Hashable, FaultMark] = TrackedRows()
        self._events: deque[Event] = deque()
        self._exchanges: dict[str, deque[Exchange]] = {}
        self._read: dict[bool, dict[int, int]] = {True: {}, False: {}}
        self._orders: list[StoredOrder] = []
        self._shown = SideFrame()
        self._closed = False

    # --- what the files say

    def hear(self, event: Event) -> None:
        """An event, in order; it counts from its own time on."""
        if isinstance(event, LoadStarted):
            self.epoch_us = event.epoch_us
        self._events.append(event)

    def recorded(self, record: Record, source: str) -> None:
        """A record of the history from that file, in the file's order.

        What a load process wrote is merged into the run's history in the end: the same record comes from both, or from
        either. Each file has all of a shopper's records in one order, so that counting tells which were there before.
        """
        if isinstance(record, StoredOrder):
            self._orders.append(record)
            return
        mine, other = self._read[source == MERGED], self._read[source != MERGED]
        number = mine[record.shopper] = mine.get(record.shopper, 0) + 1
        if number > other.get(record.shopper, 0):
            self._exchanges.setdefault(source, deque()).append(record)

    def logged(self, record: GuestRecord) -> None:
        """A line of a node's or the balancer's log; it counts from its own time on, too."""
        self._lines.append(record)

    # --- what it looks like

    def advance(self, now_us: int, *, over: bool = False) -> SideFrame:
        """Take in what was there by then; what has changed. `over`: everything was read, and nothing more will come."""
        self._take_lines(now_us, over=over)
        self._take_events(now_us, over=over)
        judged_us = now_us - self._delay_us
        for queue in self._exchanges.values():
            while queue and (over or queue[0].done_us <= judged_us):
                self._judge(queue.popleft())
        if over and not self._closed:
            self._close()
        return self._changes(judged_us, over=over)

    def picture(self) -> SideFrame:
        """Everything that `advance` has told so far."""
        return msgspec.structs.replace(
            self._shown,
            shoppers=tuple(self._shopper_states.views.values()),
            losses=_views(self._replay.kept),
            marks=tuple(self._marks.values()),
            waits=tuple(self._waiting.seconds.values()),
            guests=self._guests.all(),
        )

    def loss(self, number: int) -> Loss | None:
        """That loss with its witness; None if there is none."""
        return self._replay.kept.get(number)

    @property
    def crashed(self) -> dict[str, str]:
        """Checks that raised, and what: nobody knows what they would have found from then on."""
        return dict(self._replay.crashed)

    # --- inside

    def _take_lines(self, now_us: int, *, over: bool) -> None:
        if not self._lines or self.epoch_us is None:
            return
        until_us = NEVER_US if over else now_us + self.epoch_us  # nodes and balancer write the wall clock
        for line in sorted(self._lines, key=lambda line: line.at_us):  # of several files, each in its own order
            if line.at_us <= until_us:
                self._guests.logged(line)
        self._lines = [line for line in self._lines if line.at_us > until_us]

    def _take_events(self, now_us: int, *, over: bool) -> None:
        changed, since_us = False, NEVER_US
        while self._events and (over or self._events[0].at_us <= now_us):
            event = self._events.popleft()
            if self._scene.hear(event):
                changed = True
                since_us = min(since_us, self._in_doubt_since_us(event))
            self._node_states.hear(event, self._scene.scene)
            if isinstance(event, FaultEvent) and event.phase != "spared":  # here nothing was broken
                self._mark(event)
        if changed:  # once for all events of a step: a review looks at every loss again
            self._replay.see(self._scene.scene)
            self._replay.review(since_us)

    def _in_doubt_since_us(self, event: Event) -> int:
        """From when on a loss may have another cause than was known before this event."""
        scene = self._scene.scene
        if isinstance(event, NodeSample):  # how full a node was at its fullest, may explain what came long before
            return 0 if max(event.sessions.values(), default=0) >= scene.limits.session_cap else NEVER_US
        if isinstance(event, (FaultEvent, AtRisk)):
            return next((fault.injected_us or 0 for fault in scene.faults if fault.fault == event.fault), NEVER_US)
        return NEVER_US

    def _mark(self, event: FaultEvent) -> None:
        about = FAULTS.get(event.kind)
        colour = about.colour if about else UNKNOWN_COLOUR
        mark = FaultMark(event.fault, event.kind, event.victim, event.phase, event.at_us // 1000, colour)
        self._marks.tell(mark_key(mark), mark)
        in_memory = self._scene.scene.store == "memory"
        self._guests.fault(event, event.at_us + (self.epoch_us or 0), in_memory=in_memory)

    def _judge(self, asked: Exchange) -> None:
        exchange = self._scene.scene.as_judged(asked)
        self._actions.add(exchange)
        self._waiting.add(exchange)
        if exchange.outcome == "not_sent":  # it met nobody: `replay.people` may not even know them
            return
        self._replay.add(exchange)
        self._shopper_states.saw(exchange, self._replay.people[exchange.shopper])

    def _close(self) -> None:
        """As `loadtests.judging.judge` does it at the end: the database settles what nobody else could."""
        self._closed = True
        for order in self._orders:
            self._replay.add_order(order)
        self._replay.close()

    def _changes(self, judged_us: int, *, over: bool) -> SideFrame:
        losses = self._replay.kept.news()
        for loss in losses.values():
            self._shopper_states.hurt(loss.shopper)
        nodes, parts, counts = self._node_states.nodes(), self._node_states.parts(), self._counts()
        # Compared with what was told last: these three are told whole, or not at all.
        shown, self._shown = self._shown, SideFrame(nodes=nodes, parts=parts, counts=counts)
        return SideFrame(
            nodes=None if nodes == shown.nodes else nodes,
            parts=None if parts == shown.parts else parts,
            counts=None if counts == shown.counts else counts,
            shoppers=tuple(self._shopper_states.views.news().values()),
            losses=_views(losses),
            marks=tuple(self._marks.news().values()),
            waits=self._waiting.close_until(judged_us, over=over) if self.epoch_us is not None else (),
            guests=self._guests.news(),
        )

    def _counts(self) -> LiveCounts:
        orders_read = self._closed and self._scene.scene.finished  # only then the database settles what is unknown
        counts = self._actions.counts(self._actions.settled(self._replay, orders_read=orders_read))
        return LiveCounts(
            logged_out=self._replay.logged_out().shoppers,
            carts_lost=self._replay.lost["cart_lost"],
            failed=counts["failed"],
            unknown=counts["unknown"],
            actions=sum(counts.values()),
            shoppers=self._shoppers,
        )


def _views(losses: Mapping[int, Loss]) -> tuple[LossView, ...]:
    return tuple(
        LossView(number, loss.kind, loss.shopper, round(loss.at_ms), loss.cause) for number, loss in losses.items()
    )
