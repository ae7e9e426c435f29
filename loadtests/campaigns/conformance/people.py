"""What a balancer did to people in one run, read from the run's folder alone: the shoppers' history, the balancer's
log, and when each node was down.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import msgspec

from compose.architectures import ARCHITECTURES
from compose.balancers.access_log import read_access_batches
from compose.balancers.contract import OUR_LOG
from loadtests.faults import FAULTS
from loadtests.judging.experiment import HIT_NOBODY, NOT_SEEN_BACK
from loadtests.judging.verdict import NOTHING_PREDICTED
from loadtests.model.events import Event, FaultEvent, NodeAdded, read_events
from loadtests.model.history import Exchange, read_history
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document

NEVER = 1 << 62
ANYWHERE = ("round-robin", "least-request", "weighted")  # affinities by which nobody belongs to a node
# Whom the balancer has sent to the victim, and whether it takes it back, is what is counted, and here no doubt.
BORNE = (NOTHING_PREDICTED, HIT_NOBODY, NOT_SEEN_BACK)


class PeopleCounts(msgspec.Struct, frozen=True):
    """What became of the shoppers of one run; all are numbers of people but where it says otherwise.

    What each of them counts stands where it is shown: `cells.COLUMNS`.
    """

    shoppers: int
    logged_out: int
    met_errors: int
    trapped: int
    trapped_s: float
    """Seconds."""
    moved: int
    again: int
    there: int
    """0 where no node was struck."""
    busiest: int
    newcomers: int
    """Logged in after a new node was seen to be in rotation, or while one was a canary; 0 where none was."""
    on_new_node: int
    """Of these, on that node."""
    stalled: int | None = None
    """None, as the next: counted before there was such a number."""
    busiest_share: float | None = None
    """0 to 1; None also where people belong to a node."""

    @property
    def new_share(self) -> float | None:
        """Share of newcomers on that node; None where there was none, or nobody came."""
        return self.on_new_node / self.newcomers if self.newcomers else None


class Span(msgspec.Struct, frozen=True):
    """A time of a node, in which it served nobody, or was new; microseconds since the zero of the load window."""

    node: str
    from_us: int
    to_us: int


def doubt(folder: RunFolder, architecture: str) -> str:
    """Why that run proves nothing: an event that nobody saw, books that do not balance, …; "": it does.

    Raises:
        RunFolderError: its results cannot be read.
    """
    reasons = read_document(folder.results, Results).architectures[architecture].reasons
    return next((reason for reason in reasons if not any(words in reason for words in BORNE)), "")


def count_people(folder: RunFolder, architecture: str) -> PeopleCounts:
    """What became of the shoppers of that architecture.

    Raises:
        RunFolderError: something of the folder cannot be read.
    """
    result = read_document(folder.results, Results).architectures[architecture]
    events = [event for event in read_events(folder.events) if event.architecture == architecture]
    outages = tuple(outages_of(events))
    logged = read_access_batches(folder.logs(architecture) / OUR_LOG)
    picked = {line.id or "": line.node or "" for lines in logged for line in lines}
    people = _by_shopper(folder, architecture)
    trapped_us = [max(stretches(asked, picked, outages), default=0) for asked in people.values()]
    special = special_node(events)
    anywhere = ARCHITECTURES[architecture].affinity in ANYWHERE
    came = list(newcomers(people.values(), special)) if special is not None else []
    return PeopleCounts(
        shoppers=result.shoppers,
        logged_out=result.logged_out.shoppers,
        met_errors=sum(any(_failed(one) for one in asked) for asked in people.values()),
        trapped=sum(stretch > 0 for stretch in trapped_us),
        trapped_s=round(max(trapped_us, default=0) / 1e6, 1),
        moved=sum(moved(asked, outages) for asked in people.values()),
        again=result.logged_out.more_than_once,
        there=0 if anywhere else there(people.values(), events),  # by round robin, who answered last is chance
        busiest=busiest(people.values()),
        newcomers=len(came),
        on_new_node=sum(special is not None and node == special.node for node in came),
        stalled=result.counts["stalled"].shoppers,
        busiest_share=result.costs.busiest_node_share if anywhere else None,
    )


def _by_shopper(folder: RunFolder, architecture: str) -> dict[int, list[Exchange]]:
    """What each was sent and answered before the audit, in order."""
    found: dict[int, list[Exchange]] = defaultdict(list)
    for record in read_history(folder.history):
        if not isinstance(record, Exchange) or record.architecture != architecture or not record.request:
            continue
        if record.jar == "main" and record.why != "audit":
            found[record.shopper].append(record)
    for asked in found.values():
        asked.sort(key=lambda one: one.sent_us)  # the history has them as they ended; those of one page overlap
    return found


def outages_of(events: Iterable[Event]) -> Iterator[Span]:
    """When which node served nobody, by what was done and seen."""
    begun: dict[int, FaultEvent] = {}
    for event in events:
        if not isinstance(event, FaultEvent) or not (down := FAULTS[event.kind].victim_is_down):
            continue
        if event.phase == "injected":
            begun[event.fault] = event
        elif event.phase in ("observed_healed", "not_healed") and down == "until healed" and event.fault in begun:
            first = begun.pop(event.fault)
            yield Span(first.victim, first.at_us, event.at_us)
    for first in begun.values():
        yield Span(first.victim, first.at_us, NEVER)


def special_node(events: Iterable[Event]) -> Span | None:
    """The node whose newcomers are counted, and from when to when: one that was added, or a canary; None: no node."""
    events = list(events)
    added = next((event.node for event in events if isinstance(event, NodeAdded)), "")
    faults = [event for event in events if isinstance(event, FaultEvent)]
    for event in faults:
        if event.phase == "observed" and FAULTS[event.kind].grows:
            return Span(added, event.at_us, NEVER)
        if event.phase == "observed" and FAULTS[event.kind].rations:
            # Healed, it is rationed no more: who comes then says nothing of the ration.
            over = (one.at_us for one in faults if one.fault == event.fault and one.phase == "healed")
            return Span(event.victim, event.at_us, next(over, NEVER))
    return None


def _failed(exchange: Exchange) -> bool:
    # A shop's own refusal (401, 404) is an answer; the balancer's, which names no node, is none.
    by_a_shop = bool(exchange.node)
    return exchange.status == 0 or exchange.status >= (500 if by_a_shop else 400)


def _down(outages: Iterable[Span], node: str, from_us: int, to_us: int) -> bool:
    return any(it.node == node and it.from_us <= to_us and from_us <= it.to_us for it in outages)


def stretches(asked: list[Exchange], picked: dict[str, str], outages: tuple[Span, ...]) -> Iterator[int]:
    """How long (microseconds) somebody was sent to nodes that were down, each time; once in a row is no time."""

    def in_vain(one: Exchange) -> bool:
        node = picked.get(one.request, "")
        return _failed(one) and bool(node) and _down(outages, node, one.sent_us, one.done_us)

    for dead, row in groupby(asked, in_vain):
        stretch = list(row)
        if dead and len(stretch) > 1:  # the first one nobody could have known of; the second one is the trap
            yield stretch[-1].done_us - stretch[0].sent_us


def moved(asked: list[Exchange], outages: tuple[Span, ...]) -> bool:
    """Answered by another node than before, which was there all the while."""
    served = [one for one in asked if one.node]
    return any(
        after.node != before.node and not _down(outages, before.node, before.sent_us, after.done_us)
        for before, after in pairwise(served)
    )


def there(people: Iterable[list[Exchange]], events: Iterable[Event]) -> int:
    """Who was last answered by the first victim, if that is a node, before it was struck."""
    struck = (event for event in events if isinstance(event, FaultEvent) and event.phase == "injected")
    # n1, n2, …: a store or the balancer has nobody of its own.
    first = next((event for event in struck if event.victim[1:].isdecimal()), None)
    if first is None:
        return 0
    last = ([one.node for one in asked if one.node and one.done_us <= first.at_us] for asked in people)
    return sum(nodes[-1] == first.victim for nodes in last if nodes)


def busiest(people: Iterable[list[Exchange]]) -> int:
    """How many one node, the one with the most, logged in first."""
    first = (next((one.node for one in asked if one.do == "login" and one.node), "") for asked in people)
    return max(Counter(node for node in first if node).values(), default=0)


def newcomers(people: Iterable[list[Exchange]], special: Span) -> Iterator[str]:
    """The node that served each first login while that one was special."""
    for asked in people:
        first = next((one for one in asked if one.do == "login"), None)
        if first is not None and special.from_us < first.sent_us < special.to_us and first.node:
            yield first.node
