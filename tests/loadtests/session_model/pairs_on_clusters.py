"""Two things that end sessions, on real clusters: what each loss must be blamed on, by what was seen of it.

Here the world is not made up, so nobody knows the truth; but whoever reads a shopper's requests and the marks of the
fault can tell of each of the two things alone whether it would have ended that session by then. A loss is to be blamed
on all those that would have (each of them has to be taken away before the answer knows the shopper). Nothing of this
comes from the product's model of session life. Where a mark falls into the time that an answer took, it is left open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from compose.architectures import ARCHITECTURES
from compose.engines.registry import engine_named
from loadtests.model.events import LoadStarted, read_events
from loadtests.model.fault_timeline import NEVER_US, FaultTimeline
from loadtests.model.history import Exchange, read_history
from loadtests.model.results import Loss, Results
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run

US = 1_000_000
AHEAD_US = 5 * US
Marks = dict[str, FaultTimeline]
"""The faults as they went, each under its kind and victim: "kill n1"."""


@dataclass(frozen=True)
class Lost:
    """One session that was lost, as its shopper's requests show it."""

    login: Exchange
    wrote: Exchange
    """The last request that certainly wrote it."""
    doubtful: bool
    """Something was asked since that may have written it, and nobody knows."""
    answer: Exchange
    """The answer of a stranger."""
    epoch_us: int
    """The wall clock at the zero of the window."""
    refused_us: tuple[int, ...] = ()
    """When the shopper was told since that the shop could do nothing just then."""

    @property
    def strayed(self) -> bool:
        """Another node answered than had the login."""
        return self.answer.node != self.login.node

    def over(self, lifetime_s: int) -> bool | None:
        """Whether its lifetime was: noted by browsers in whole seconds of the wall clock."""

        def ends(us: int) -> int:
            return (self.epoch_us + us) // US * US - self.epoch_us + lifetime_s * US

        if self.answer.done_us < ends(self.wrote.sent_us):
            return False
        return True if self.answer.sent_us >= ends(self.wrote.done_us) and not self.doubtful else None


Tell = Callable[[Lost, Marks, int], "bool | None"]
"""Whether that thing alone would have ended the session by then; the number is the lifetime in seconds."""


def never(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """It changes nothing there."""
    return False


def always(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """Nobody sees when it happens, but nothing else is there that could have done it."""
    return True


def elsewhere(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """Another node answered, which has never heard of the session."""
    return lost.strayed


def gone_with(kind: str, *, held_by_all: bool = False) -> Tell:
    """What the node (or the store) held at that time went with it."""

    def tell(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
        (mark,) = (each for each in marks.values() if each.kind == kind)
        assert mark.takes_effect_us is not None, "it was not observed"
        begins, ends = mark.takes_effect_us
        if not held_by_all and lost.login.node != mark.victim:
            return False
        if lost.login.done_us <= begins and lost.answer.sent_us >= ends:
            return True
        return False if lost.login.sent_us >= ends or lost.answer.done_us <= begins else None

    return tell


def all_copies(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """The last node that held a copy went, before the first was back."""
    struck = [each.takes_effect_us or (0, 0) for each in marks.values()]
    assert max(ends for _, ends in struck) < min(each.healed_us or 0 for each in marks.values())
    begins, ends = max(struck)
    if lost.login.done_us <= min(struck)[0] and lost.answer.sent_us >= ends:
        return True
    return False if lost.answer.done_us <= begins else None


def ring(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """Whoever belonged to the killed node has `gone_with`; others may be moved as the ring turns, and back."""
    return lost.strayed and lost.login.node != "n1"


def _ahead(marks: Marks, node: str, us: int) -> set[int]:
    """By how much its clock may have been ahead just then."""
    mark = marks.get(f"clock-ahead {node}")
    if mark is None or us < mark.start_us or us > mark.over_us:
        return {0}
    return {AHEAD_US} if (mark.observed_us or 0) <= us <= (mark.healed_us or NEVER_US) else {0, AHEAD_US}


def _clocks(lost: Lost, marks: Marks) -> set[tuple[int, int]]:
    """When the session may have been written and read, by the clocks of the nodes that did."""
    return {
        (wrote_us + writer, at_us + reader)
        for wrote_us in (lost.wrote.sent_us, lost.wrote.done_us)
        for at_us in (lost.answer.sent_us, lost.answer.done_us)
        for writer in _ahead(marks, lost.wrote.node, wrote_us)
        for reader in _ahead(marks, lost.answer.node, at_us)
    }


def _sure(found: set[bool]) -> bool | None:
    return found.pop() if len(found) == 1 else None


def aged(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """By the clocks of the node that wrote it and of the one that reads it, its lifetime is over."""
    return _sure({at_us - wrote_us >= lifetime_s * US for wrote_us, at_us in _clocks(lost, marks)})


def from_the_future(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """Its token was signed in a second that the reader's clock has not reached."""
    epoch_us = lost.epoch_us
    return _sure({(epoch_us + wrote_us) // US > (epoch_us + at_us) // US for wrote_us, at_us in _clocks(lost, marks)})


def key_of(kind: str, *, accepts_own: bool) -> Tell:
    """n1 signs with the next key once it is back; the others neither sign with it nor accept it."""

    def tell(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
        mark = marks[f"{kind} n1"]

        def has_next(exchange: Exchange) -> bool:
            return exchange.node == "n1" and exchange.done_us > (mark.healed_us or NEVER_US)

        signed, reads = has_next(lost.wrote), has_next(lost.answer)
        return (signed and not reads) or (reads and not signed and not accepts_own)

    return tell


def not_copied(lost: Lost, marks: Marks, lifetime_s: int) -> bool | None:
    """It was opened while the replica was cut off, before that was promoted.

    That it was cut off is seen when nothing came back for seconds: it was when the question was asked. And as soon as
    nodes could not ask the store any more, it was dead: whoever was answered after that was answered by the other one.
    """
    cut, promoted = marks["replica-cut replica"], marks["promoted store"]
    (waited_ms,) = re.findall(r"timeout after (\d+) ms", " ".join(cut.evidence))
    cut_us = (cut.observed_us or 0) - 1000 * int(waited_ms)
    begins, ends = promoted.takes_effect_us or (0, 0)
    promoted_us = min((us for us in lost.refused_us if us >= begins), default=ends)
    if lost.login.sent_us >= cut_us and lost.login.done_us <= begins and lost.answer.sent_us >= promoted_us:
        return True
    return False if lost.login.done_us < (cut.injected_us or 0) or lost.login.sent_us >= ends else None


@dataclass(frozen=True)
class Thing:
    """What may end a session beside its lifetime."""

    word: str
    """The cause's; "" for what changes nothing there."""
    tells: Tell = never
    unseen: bool = False
    """Nobody sees whether it happened, or it is asked only while the lifetime is not over: then time alone is named."""


@dataclass(frozen=True)
class Pair:
    """One run on one cluster."""

    architecture: str
    name: str
    things: tuple[Thing, ...]
    faults: tuple[tuple[str, float, float | None, str], ...] = ()
    """Kind, when, healed how long after, victim."""
    lifetime_s: int = 3
    sliding: bool = False
    settings: dict[str, object] = field(default_factory=dict)
    load: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """As pytest has it."""
        return f"{self.architecture}: {'sliding ' if self.sliding else ''}expiry, {self.name}"

    def scenario(self) -> str:
        """Its TOML."""
        load = {"shoppers": 12, "seconds": 7, "think_ms": 300, "login_within_ms": 1200} | self.load
        settings = {
            "session_lifetime_s": self.lifetime_s, "session_refresh_each_request": self.sliding,
        } | self.settings  # fmt: skip
        lines = ['question = "What ended it?"', 'family = "cases"', f'architectures = ["{self.architecture}"]']
        lines += ["[settings]", *(f"{key} = {_toml(value)}" for key, value in settings.items())]
        # Pages that anybody may see tell of nobody; and what writes a session, beside its login, ought to be known.
        lines += ["[load]", "mix = { browse = 0, add = 0, remove = 0, checkout = 0, cart = 4, me = 3 }"]
        lines += [f"{key} = {_toml(value)}" for key, value in load.items()]
        for kind, at_s, heal_after_s, victim in self.faults:
            lines += ["[[fault]]", f'kind = "{kind}"', f"at_s = {at_s}", f'victim = "{victim}"']
            lines += [] if heal_after_s is None else [f"heal_after_s = {heal_after_s}"]
        return "\n".join([*lines, f"[expect.{self.architecture}]", 'wrong_user = "0"', ""])


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


KILL = ("kill", 3.6, 1.0, "n1")
AHEAD = ("clock-ahead", 2.5, 3.5, "n1")
STORE_KILL = ("store-kill", 3.4, 0.5, "store")
PAUSES: dict[str, object] = {"think_ms": 900, "seconds": 9}
"""Long enough for a session that each request refreshes to end in one of them."""


def down(kind: str, *, word: str = "node_stopped") -> Thing:
    return Thing(word, gone_with(kind))


PAIRS = (
    Pair("sticky-memory", "kill", (down("kill", word="node_killed"),), (KILL,)),
    Pair("sticky-memory", "kill", (down("kill", word="node_killed"),), (KILL,), 2, sliding=True, load=PAUSES),
    Pair("sticky-memory", "stop", (down("stop"),), (("stop", 3.6, 1.0, "n1"),)),
    Pair("sticky-memory", "deploy", (down("deploy"),), (("deploy", 3.0, 0.6, "n1"),)),
    Pair("sticky-memory", "freeze", (Thing("node_frozen", elsewhere),), (("freeze", 2.0, 3.5, "n1"),), 6,
         load={"seconds": 9}),
    Pair("sticky-memory", "no affinity", (Thing("affinity_lost", elsewhere),), (("no-affinity", 2.6, 1.5, "cluster"),)),
    Pair("sticky-memory", "forgotten", (Thing("affinity_lost", elsewhere),), load={"behaviour": "forgetful"}),
    Pair("sticky-memory", "clock ahead", (Thing("clock_ahead", aged, unseen=True),), (AHEAD,), 6, load={"seconds": 8}),
    Pair("sticky-memory", "cap", (Thing("memory_cap", always, unseen=True),), lifetime_s=2,
         settings={"session_cap": 3}, load={"think_ms": 1200, "seconds": 9}),
    Pair("sticky-memory", "workers", (Thing("worker", always, unseen=True),), (("workers", 0.0, None, "cluster"),)),
    Pair("sticky-memory", "sick and retried", (Thing("retried_elsewhere", elsewhere),),
         (("balancer-retries", 0.0, None, "cluster"), ("sick", 2.6, 2.0, "n1"))),
    Pair("sticky-hash", "kill", (down("kill", word="node_killed"), Thing("moved_by_ring", ring)), (KILL,)),
    Pair("sticky-hash", "grown", (Thing("moved_by_ring", elsewhere),), (("scale-out", 2.6, None, "cluster"),)),
    Pair("roundrobin-memory", "in turn", (Thing("other_node", elsewhere),), load={"think_ms": 900}),
    Pair("replicated-memory", "all killed", (Thing("copies_lost", all_copies),),
         tuple(("kill", 3.3 + number / 10, 1.5, f"n{number}") for number in (1, 2, 3)), load={"seconds": 9}),
    Pair("replicated-memory", "clock ahead", (Thing("clock_ahead", aged, unseen=True),), (AHEAD,), 6,
         load={"seconds": 8}),
    Pair("replicated-memory", "one killed", (Thing(""),), (KILL,)),
    Pair("signed-token", "key swapped", (Thing("key_changed", key_of("key-swap", accepts_own=False)),),
         (("key-swap", 1.3, 0.4, "n1"),), load={"seconds": 10}),
    Pair("signed-token", "key swapped", (Thing("key_changed", key_of("key-swap", accepts_own=False)),),
         (("key-swap", 2.0, 0.4, "n1"),), 2, sliding=True, load=PAUSES),
    Pair("signed-token", "key in one phase", (Thing("key_changed", key_of("key-one-phase", accepts_own=True)),),
         (("key-one-phase", 1.2, 0.4, "n1"),), load={"think_ms": 900, "seconds": 9}),
    Pair("signed-token", "clock ahead",
         (Thing("clock_ahead", aged, unseen=True), Thing("clock_ahead", from_the_future)),
         (("clock-ahead", 0.2, 3.5, "n1"),), load={"think_ms": 900, "seconds": 9}),
    Pair("signed-token", "key announced", (Thing(""),), (("key-announce", 1.5, 0.4, "n1"),)),
    Pair("token-denylist", "key swapped", (Thing("key_changed", key_of("key-swap", accepts_own=False)),),
         (("key-swap", 1.3, 0.4, "n1"),), load={"seconds": 10}),
    Pair("token-denylist", "store killed", (Thing(""),), (STORE_KILL,)),
    Pair("redis", "store killed", (Thing("store_lost", gone_with("store-kill", held_by_all=True)),), (STORE_KILL,)),
    Pair("redis", "store killed", (Thing("store_lost", gone_with("store-kill", held_by_all=True)),), (STORE_KILL,), 2,
         sliding=True, load=PAUSES),
    Pair("redis", "store killed, append-only", (Thing(""),), (STORE_KILL,), settings={"store_append_only": True}),
    Pair("redis", "store full", (Thing("store_evicted", always, unseen=True),), (("store-full", 2.4, 1.5, "store"),),
         settings={"store_memory_mb": 8, "store_eviction": "allkeys-lru"}, load={"think_ms": 900}),
    Pair("redis", "clock ahead", (Thing(""),), (AHEAD,)),
    Pair("redis-replica", "cut and promoted", (Thing("not_replicated", not_copied),),
         (("replica-cut", 1.5, 7.0, "replica"), ("promoted", 6.0, 4.0, "store")), 5,
         load={"login_within_ms": 5500, "seconds": 12}),  # the promotion takes three seconds
)  # fmt: skip


@dataclass
class Blamed:
    """What came of one run, loss by loss."""

    exact: int = 0
    open: int = 0
    """Of these one mark or another fell into the time of an answer: what is named is not contradicted."""
    wrong: list[str] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)

    def add(self, loss: Loss, lost: Lost, pair: Pair, marks: Marks) -> None:
        """Compare what is named with what would have ended it."""
        over = lost.over(pair.lifetime_s)
        told = {"expired": over}
        for thing in pair.things:
            it = thing.tells(lost, marks, pair.lifetime_s)
            if thing.word and not (thing.unseen and over):
                both = (it, told.get(thing.word, False))
                told[thing.word] = True if True in both else None if None in both else False
        named = set(re.split(r"[+|]", loss.cause))
        must = {word for word, it in told.items() if it}
        may = {word for word, it in told.items() if it is not False}
        self.words[loss.cause] = self.words.get(loss.cause, 0) + 1
        if must == may == named:
            self.exact += 1
        elif must != may and named <= may and named:
            self.open += 1
        else:
            self.wrong.append(f"shopper {loss.shopper} at {loss.at_ms:.1f} ms: {loss.cause}, and not {told}; {lost}")


def carried_out(pair: Pair, folder: Path) -> Blamed:
    """Run it, and compare each logout."""
    path = folder / "pair.toml"
    path.write_text(pair.scenario())
    finished = run(RunRequest(str(path), runs=folder / "runs"), engine_named("processes"), Silent())
    results: Results = finished.results
    result = results.architectures[pair.architecture]
    assert result.verdict == "as predicted", result.reasons
    marks = {f"{fault.kind} {fault.victim}": fault for fault in result.faults}
    (epoch_us,) = (event.epoch_us for event in read_events(finished.folder.events) if isinstance(event, LoadStarted))
    history = [each for each in read_history(finished.folder.history) if isinstance(each, Exchange)]
    blamed = Blamed()
    for loss in result.losses:
        if loss.kind == "logged_out":
            mine = [each for each in history if each.shopper == loss.shopper and each.jar == "main"]
            blamed.add(loss, _lost(mine, round(loss.at_ms * 1000), epoch_us, pair), pair, marks)
    return blamed


def _lost(mine: list[Exchange], done_us: int, epoch_us: int, pair: Pair) -> Lost:
    """The session that the answer of that moment did not know."""
    (answer,) = (each for each in mine if each.done_us == done_us and each.status in (401, 302))
    before = [each for each in mine if 0 <= each.done_us <= answer.sent_us and each.do != "forget_node"]
    login = [each for each in before if each.do == "login" and each.outcome == "ok"][-1]
    since = before[before.index(login) :]
    writes = [each for each in since if each.do == "login" or pair.sliding]
    wrote = [each for each in writes if each.outcome == "ok" and _writes_there(each, login, pair)][-1]
    doubtful = any(each.status == 0 or each.status >= 500 for each in writes[writes.index(wrote) :])
    refused_us = tuple(each.done_us for each in since if each.status >= 500)
    return Lost(login, wrote, doubtful, answer, epoch_us, refused_us)


def _writes_there(each: Exchange, login: Exchange, pair: Pair) -> bool:
    return ARCHITECTURES[pair.architecture].store != "memory" or each.node == login.node
