"""What several faults have in common: a part goes down, hangs, suffers; the balancer misroutes; a wire is cut."""

from typing import Any, Literal

import msgspec

from compose.cluster import Balancing, Limits, NodeChanges, Reply, Wire
from compose.engines.contract import Cluster
from loadtests.faults.contract import Evidence, Fault, Looks, Target
from loadtests.faults.effects import FIRST, FOREVER_US, Effect, FaultMarks, NodeFormat, NodeSigns, node_down
from loadtests.model.results import Cause
from shared.errors import TwinshopError
from shared.sessions import Injection

NODE_STOPPED = Cause(
    "node_stopped", "The node that held the session in its memory was stopped or restarted, and the session with it."
)
MOVED_BY_RING = Cause(
    "moved_by_ring", "Nodes came or went, and the balancer's hash ring sent the shopper to another node."
)
KEY_CHANGED = Cause(
    "key_changed", "Nodes were given another signing key, and this one refused what another had signed."
)
AFFINITY_LOST = Cause("affinity_lost", "The balancer no longer knew which node the shopper belongs to.")
MEMORY_CAP = Cause("memory_cap", "The node that held the session in its memory held too many, and threw it out.")
REQUEST_REPEATED = Cause(
    "request_repeated", "One request reached the shop twice: something between client and shop sent it again."
)
NOT_REPLICATED = Cause("not_replicated", "The session store died, and its replica had not heard of it.")
RETRIED_ELSEWHERE = Cause(
    "retried_elsewhere",
    "The node that holds the session answered with an error, and the balancer asked another one.",
)
FORMAT_CHANGED = Cause(
    "format_changed",
    "Nodes ran different versions of the shop's code, and this one did not understand what another had written.",
)
DELAYED_WRITE = Cause(
    "delayed_write", "A write hung on its way to the session store, got through later, and undid a newer one."
)


class GoesDown(Fault):
    """Ends a part; healing starts it again, on the same address."""

    looks: Looks = "dead"
    signal: Literal["SIGTERM", "SIGKILL"] = "SIGTERM"

    def inject(self, target: Target) -> None:
        # SIGKILL is for its whole process group: the worker of a master that was killed alone serves on for a while.
        end = target.cluster.kill if self.signal == "SIGKILL" else target.cluster.terminate
        end(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        # Both: a worker serves on after its master's death, and a part that hangs is silent and alive.
        return None if seen.process or seen.answers else seen.evidence

    def heal(self, target: Target) -> None:
        target.cluster.start(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        return back_again(target)


class NodeGoesDown(GoesDown):
    """Ends a node: its memory is gone, and a hash ring sends its shoppers, and later some of them back, elsewhere."""

    takes_memory = True
    causes: tuple[Cause, ...] = (NODE_STOPPED, MOVED_BY_RING)
    """The first is what it is for the session that it held."""

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        return node_down(marks, self.causes[0].name)


def back_again(target: Target) -> Evidence | None:
    """The part answers, is in rotation, and is another start of itself than the one that was hit."""
    seen = target.cluster.observe(target.victim)
    before = target.before.boot if target.before else None
    # By its boot: right after a kill that failed, the old start would pass for the new one.
    back = seen.answers and seen.in_rotation and seen.boot != before
    return (*seen.evidence, f"boot {seen.boot}, before {before}") if back else None


class Freezes(Fault):
    """Stops a part; healing lets it go on where it was."""

    looks: Looks = "frozen"

    def inject(self, target: Target) -> None:
        target.cluster.freeze(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        # Its silence alone would be that of a dead part, which has lost its memory.
        return seen.evidence if seen.process and not seen.answers else None

    def heal(self, target: Target) -> None:
        target.cluster.thaw(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        # The same start of the part: another one would have lost what it kept.
        return seen.evidence if seen.answers and seen.in_rotation and seen.boot == before else None


class Rekeys(NodeGoesDown):
    """Ends a node; healing starts it with these keys, which it keeps.

    One node's turn: a rolling change has one of these for each node.
    """

    causes = (*NodeGoesDown.causes, KEY_CHANGED)
    asks_of_application = "takes_keys"
    changes: NodeChanges

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        down = super().effects(marks, limits)
        if marks.healed_us is None:
            return down
        key, fallback = self.changes.key, self.changes.fallback
        accepts = (key,) if fallback is None else (key, fallback)
        # From the healing on: only with its next start does a node have another key.
        return (*down, NodeSigns(marks.healed_us, FOREVER_US, KEY_CHANGED.name, marks.victim, key, accepts))

    def inject(self, target: Target) -> None:
        # First: whoever starts it again, a person too, starts it with what is written down by then.
        target.cluster.change(target.victim, self.changes)
        super().inject(target)

    def observe_healed(self, target: Target) -> Evidence | None:
        back = super().observe_healed(target)
        # By its own word, too: a node with its old keys comes back as well, and nothing has changed.
        state = target.cluster.state(target.victim) if back else None
        if back is None or state is None or (state.key, state.fallback) != (self.changes.key, self.changes.fallback):
            return None
        return (*back, f"signs with its {state.key} key, accepts as well: {state.fallback or 'none'}")


class Deploys(NodeGoesDown):
    """Ends a node; healing starts it with another version of the shop's code, which it keeps.

    One node's turn: a rolling deploy has one of these for each node.
    """

    causes = (*NodeGoesDown.causes, FORMAT_CHANGED)
    asks_of_application = "takes_versions"
    version: str
    """What it makes of sessions: a word of `shared.shop.session_format.FORMATS`."""
    writes: str = FIRST[0]
    """The field in which it keeps the user's name."""
    reads: tuple[str, ...] = FIRST
    """Those in which it looks for it."""
    cart: str = ""
    """What it takes a cart for, if not for what the first version does."""

    def inject(self, target: Target) -> None:
        target.cluster.change(target.victim, NodeChanges(session_format=self.version))
        super().inject(target)

    def observe_healed(self, target: Target) -> Evidence | None:
        back = super().observe_healed(target)
        state = target.cluster.state(target.victim) if back else None
        if back is None or state is None or state.session_format != self.version:
            return None
        return (*back, f"keeps sessions as version {state.session_format!r} of the shop's code")

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        down, at_us, word = super().effects(marks, limits), marks.healed_us, FORMAT_CHANGED.name
        if at_us is None:
            return down
        return (*down, NodeFormat(at_us, FOREVER_US, word, marks.victim, self.writes, self.reads, self.cart))


class Troubles(Fault):
    """Tells a node what to suffer from; healing tells it to suffer from nothing."""

    asks_of_application = "takes_trouble"
    trouble: Injection

    def inject(self, target: Target) -> None:
        target.cluster.trouble(target.victim, self.trouble)

    def heal(self, target: Target) -> None:
        target.cluster.trouble(target.victim, Injection())


class TroublesPages(Troubles):
    """One that shows when a page of the shop is asked for."""

    def suffers(self, page: Reply) -> bool:
        """Whether this answer shows it."""
        raise NotImplementedError

    def observe(self, target: Target) -> Evidence | None:
        page = target.cluster.probe(target.victim)
        if not self.suffers(page):
            return None
        # In rotation: what the balancer itself had noticed would be an outage, and no trouble that hides.
        seen = target.cluster.observe(target.victim)
        return (page.words, *seen.evidence) if seen.answers and seen.in_rotation else None

    def observe_healed(self, target: Target) -> Evidence | None:
        page = target.cluster.probe(target.victim)
        # And well: no answer at all does not show the trouble either.
        return (page.words,) if page.ok and not self.suffers(page) else None


class Misroutes(Fault):
    """Tells the balancer how to route; healing tells it to route as it was started."""

    strikes = "cluster"
    balancing: Balancing

    def is_so(self, told: Balancing) -> bool:
        """Whether the balancer routes so, by its own words."""
        raise NotImplementedError

    def inject(self, target: Target) -> None:
        target.cluster.balance(self.balancing)

    def observe(self, target: Target) -> Evidence | None:
        # Its own configuration, read from its admin address, and not what it was told: it may have refused that.
        told = _told(target.cluster)
        return (balancing_in_words(told),) if told is not None and self.is_so(told) else None

    def heal(self, target: Target) -> None:
        target.cluster.balance(Balancing())

    def observe_healed(self, target: Target) -> Evidence | None:
        told = _told(target.cluster)
        return None if told is None or self.is_so(told) else (balancing_in_words(told),)


def _told(cluster: Cluster) -> Balancing | None:
    """How the balancer says that it routes; None as long as it does not, as while it reads its files anew."""
    try:
        return cluster.balancing()
    except TwinshopError:
        return None


def balancing_in_words(told: Balancing) -> str:
    """How the balancer says that it routes."""
    return f"the balancer's configuration: affinity {'on' if told.affinity else 'off'}, retries {told.retries or 0}"


class OnNodesWires(Fault):
    """Changes how nodes reach the store."""

    needs_wires = True

    def nothing_there(self, cluster: Cluster) -> str:
        architecture = cluster.spec.architecture
        if not architecture.uses_server:
            return f"{architecture.name} has no session store to reach"
        # A sentinel sends nodes to whichever store is written to, past any wire.
        return f"the nodes of {architecture.name} ask a sentinel for their store" if architecture.replicas else ""


class CutsWire(Fault):
    """Cuts the wire of its victim; healing joins it again."""

    needs_wires = True

    def inject(self, target: Target) -> None:
        target.cluster.wire(target.victim, Wire(cut=True))

    def observe(self, target: Target) -> Evidence | None:
        reply = target.cluster.ask_across(target.victim)
        if reply.ok:
            return None
        # Both: a silent wire to a dead store proves no cut.
        store = target.cluster.observe("store")
        return (reply.words, *store.evidence) if store.answers else None

    def heal(self, target: Target) -> None:
        target.cluster.wire(target.victim, Wire())

    def observe_healed(self, target: Target) -> Evidence | None:
        reply = target.cluster.ask_across(target.victim)
        return (reply.words,) if reply.ok else None


def quick(cluster: Cluster, end: str, below_ms: float, tries: int) -> Reply | None:
    """An answer over that wire that came sooner than that; None if none of some did."""
    replies = (cluster.ask_across(end) for _ in range(tries))
    # One quick answer is enough: a busy machine makes a good wire slow now and then, and never a slow one quick.
    return next((reply for reply in replies if reply.ok and reply.took_ms < below_ms), None)


class Stays(Fault):
    """Healing undoes nothing."""

    stays = True

    def heal(self, target: Target) -> None:
        """Nothing is broken that could be mended."""

    def observe_healed(self, target: Target) -> Evidence | None:
        return self.observe(target)


class Condition(Stays):
    """Changes the limits that the cluster is started with; nothing is done to it while it runs."""

    strikes = "cluster"
    asks_of_application = "takes_settings"
    sets: tuple[str, Any]
    """The limit that makes it so, and to what it is set."""

    def prepare(self, limits: Limits) -> Limits:
        name, value = self.sets
        return msgspec.structs.replace(limits, **{name: value})

    def inject(self, target: Target) -> None:
        """It is there already."""
