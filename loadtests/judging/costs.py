"""What requests and sessions cost: bytes and answers from the history, processor time and memory from samples."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import itemgetter

from compose.cluster import Usage
from loadtests.faults import FAULTS
from loadtests.model.events import Event, NodeSample, PartSample
from loadtests.model.history import Exchange
from loadtests.model.results import Costs
from loadtests.session_model.timeline import RunTimeline

STORE = "store"
"""The part whose counters tell of commands and of memory for sessions."""
TELLING = 200
"""Fewer sessions than this tell nothing of what one takes: a program that warms up grows more than they do."""
COMMANDS, STORE_MEMORY, KEYS = "commands", "memory", "keys"


class CostCounter:
    """`add` all exchanges of one architecture, then `close`. The last audit costs too, and is not counted."""

    def __init__(self, scene: RunTimeline, events: Iterable[Event], window_us: int) -> None:
        events = tuple(events)
        self._nodes = frozenset(scene.nodes)
        self._all_nodes = frozenset(scene.all_nodes)
        self._window_us = window_us
        self._no_store = scene.description is not None and not scene.description.uses_server
        self._copied = scene.description is not None and scene.description.store == "replicated"
        self._looks = _looks(events, window_us)
        self._held = tuple(event for event in events if isinstance(event, NodeSample))
        self._first_us = self._looks[0].at_us if self._looks else 0
        self._last_us = self._looks[-1].at_us if self._looks else -1
        added = [it.observed_us for it in scene.faults if it.kind in FAULTS and FAULTS[it.kind].grows]
        self._grown_us = min((at_us for at_us in added if at_us is not None), default=None)
        self._by_node: Counter[str] = Counter()
        self._before_growth: Counter[str] = Counter()
        self._cookie_bytes = self._unanswered = self._answer_bytes = self._between_looks = 0

    def add(self, *exchanges: Exchange) -> None:
        """Count some exchanges."""
        # The audit looks at everybody once, whatever they did: it would be counted as traffic of their own.
        sent = [each for each in exchanges if each.request and each.why != "audit"]
        answered = [each for each in sent if each.status]
        first_us, last_us, grown_us = self._first_us, self._last_us, self._grown_us
        self._cookie_bytes += sum([each.cookie_bytes for each in sent])
        self._unanswered += len(sent) - len(answered)
        self._answer_bytes += sum([each.body_bytes for each in answered])
        self._by_node.update([each.node for each in answered])
        self._between_looks += sum([first_us <= each.done_us <= last_us for each in answered])
        if grown_us is not None:
            self._before_growth.update([each.node for each in answered if each.done_us < grown_us])

    def close(self) -> Costs:
        """The costs, rounded to what can be told apart."""
        answers = sum(self._by_node.values())
        nodes = {node: count for node, count in self._by_node.items() if node}
        return Costs(
            requests_per_second=_share(answers, self._window_us / 1e6, 2),
            node_cpu_ms_per_request=_share(self._node_cpu_ms(), self._between_looks, 4),
            node_memory_mb=self._node_memory_mb(),
            memory_bytes_per_session=self._memory_per_session(),
            store_commands_per_request=(
                0.0 if self._no_store else _share(self._used(COMMANDS), self._between_looks, 4)
            ),
            store_memory_bytes_per_session=self._store_memory_per_session(),
            cookie_bytes_per_request=_share(self._cookie_bytes, answers + self._unanswered, 1),
            answer_bytes_per_request=_share(self._answer_bytes, answers, 1),
            busiest_node_share=_share(max(nodes.values(), default=0), sum(nodes.values()), 4),
            new_node_share=self._new_node_share(),
        )

    def _new_node_share(self) -> float | None:
        if self._grown_us is None:
            return None
        since = {node: count - self._before_growth[node] for node, count in self._by_node.items() if node}
        return _share(sum(count for node, count in since.items() if node not in self._nodes), sum(since.values()), 4)

    def _node_cpu_ms(self) -> float | None:
        """Between the first look and the last; a part that was started in between begins again at 0."""
        if len(self._looks) < 2:
            return None
        spent_s = 0.0
        before = self._node_usage(self._looks[0])
        for look in self._looks[1:]:
            now = self._node_usage(look)
            for node, usage in now.items():
                earlier = before.get(node)
                grown = usage.cpu_s - earlier.cpu_s if earlier else usage.cpu_s
                # Less than before: another start of the part, whose clock began again.
                spent_s += grown if grown >= 0 else usage.cpu_s
            # With those that did not answer this look: what they spend until the next is not lost.
            before = {**before, **now}
        return spent_s * 1000

    def _node_memory_mb(self) -> float | None:
        """All nodes together, at the look at which it was most."""
        sums = [self._node_memory(look) for look in self._looks]
        return round(max(sums) / 2**20, 1) if any(sums) else None

    def _memory_per_session(self) -> float | None:
        """How much the nodes' memory grew between the looks at which they held fewest and most sessions."""
        counted = [(self._sessions(look.at_us), self._node_memory(look)) for look in self._looks]
        return _per_session([(sessions, memory) for sessions, memory in counted if sessions is not None])

    def _sessions(self, at_us: int) -> int | None:
        """Sessions that all nodes held at the last sample before then; None if a node did not answer it.

        Where each node holds a copy of all, a session counts once.
        """
        last = next((sample for sample in reversed(self._held) if sample.at_us <= at_us), None)
        if last is None or min(last.sessions.values(), default=-1) < 0:
            return None
        return (max if self._copied else sum)(last.sessions.values())

    def _used(self, counter: str) -> float | None:
        """How far a counter of the store went up between the first look and the last."""
        counts = [counters[counter] for counters in self._store_counters() if counter in counters]
        if len(counts) < 2:
            return None
        steps = pairwise(counts)  # one by one, as a store that was started anew counts from 0 again
        return float(sum(later - earlier if later >= earlier else later for earlier, later in steps))

    def _store_memory_per_session(self) -> float | None:
        """How much the store's memory grew between the looks at which it held fewest and most keys."""
        known = [counters for counters in self._store_counters() if KEYS in counters and STORE_MEMORY in counters]
        return _per_session([(counters[KEYS], counters[STORE_MEMORY]) for counters in known])

    def _store_counters(self) -> list[dict[str, int]]:
        return [look.usage[STORE].counters for look in self._looks if STORE in look.usage]

    def _node_usage(self, look: PartSample) -> dict[str, Usage]:
        return {part: usage for part, usage in look.usage.items() if part in self._all_nodes}

    def _node_memory(self, look: PartSample) -> int:
        return sum(usage.memory_bytes for usage in self._node_usage(look).values())


def _looks(events: Sequence[Event], window_us: int) -> tuple[PartSample, ...]:
    """Those within the load window."""
    samples = (event for event in events if isinstance(event, PartSample))
    return tuple(sample for sample in samples if 0 <= sample.at_us <= window_us)


def _per_session(known: Sequence[tuple[int, int]]) -> float | None:
    """Of (sessions held, bytes used) at several looks: how much one takes, between the fewest and the most."""
    if not known:
        return None
    (few, first), (many, last) = min(known, key=itemgetter(0)), max(known, key=itemgetter(0))
    return _share(last - first, many - few, 0) if many - few >= TELLING else None


def _share(whole: float | None, parts: float, digits: int) -> float | None:
    return None if whole is None or parts <= 0 else round(whole / parts, digits)
