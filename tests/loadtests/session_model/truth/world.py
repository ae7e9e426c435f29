"""A shop, its balancer and its shoppers, moment by moment: what came back, with all of the faults or without some.

`World(...).run()` plays everything. A *counterfactual* world is the same but for what is `without`: faults (by their
index), the lifetime ("expired"), a browser's loss of the balancer's cookie ("affinity_lost"), a balancer that takes a
living node for dead ("held_for_dead"), or having no affinity ("other_node"). In it, everything before the answer that
is asked about is carried out by the same nodes as it was (`done_by`), or again by nobody.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count

from tests.loadtests.session_model.truth.happenings import NEVER, TOOK, US, Answer, Fault, Setup, Step
from tests.loadtests.session_model.truth.stores import (
    CAP,
    STORES,
    Node,
    NotReady,
    Replicated,
    Session,
    Unavailable,
    server_of,
)

Label = int | str
NOTICED = 300_000
"""So much later than it ended (or froze) the balancer sends a node nobody any more."""
KEYS = {
    "key-announce": ("own", {"own", "next"}), "key-one-phase": ("next", {"own", "next"}),
    "key-switch": ("next", {"own", "next"}), "key-swap": ("next", {"next"}),
}  # fmt: skip
DOWN = {"kill", "stop", "restart", "scale-in", *KEYS}
CLOCKS = {"clock-ahead": 5 * US, "clock-behind": -5 * US}


@dataclass
class Browser:
    """One jar of cookies: the shop's, with its end, and the balancer's."""

    shop: object = None
    until: float = 0
    edge: tuple[float, float] = (0, 0)
    """Between which times that may be, for who knows when the answer was sent and done, and no more."""
    written: int = -1
    """When the shop wrote the session, in true time."""
    node: str = ""
    home: str = ""
    """Who answered the login."""
    owner: str = ""
    """To whom the login would have gone, were it not known."""


class World:
    """One course of events."""

    def __init__(
        self, setup: Setup, faults: Iterable[Fault], steps: Iterable[Step], *, without: frozenset[Label] = frozenset(),
        done_by: Mapping[int, tuple[str, ...]] | None = None, asked: int | None = None,
    ) -> None:  # fmt: skip
        self.setup, self.without, self.done_by, self.asked = setup, without, done_by, asked
        self.nodes = {name: Node(name) for name in setup.nodes}
        lifetime = float("inf") if "expired" in without else setup.lifetime
        self.store = STORES[setup.store](setup, self.nodes, lifetime)
        self.server = server_of(self.store)
        self.browsers: dict[tuple[int, str], Browser] = {}
        self.shunned: dict[str, set[Label]] = {name: set() for name in setup.nodes}
        """Whom the balancer sends nobody, and why."""
        self.astray: set[Label] = set()
        """What switched its affinity off."""
        self.answers: list[Answer] = []
        self._order = count()
        self._moments: list[tuple[int, int, Callable[[], object]]] = []
        for label, fault in enumerate(faults):
            if label not in without:
                self._at(fault.bites, lambda label=label, fault=fault: self._begin(label, fault))
                self._at(fault.ends, lambda label=label, fault=fault: self._end(label, fault))
        for node, since, until in setup.held if "held_for_dead" not in without else ():
            self._at(since, lambda node=node: self.shunned[node].add("held_for_dead"))
            self._at(until, lambda node=node: self.shunned[node].discard("held_for_dead"))
        for node, when, many in setup.crowd:
            self._at(when, lambda node=node, when=when, many=many: self._crowd(node, when, many))
        for number, step in enumerate(steps):
            self._at(step.at + TOOK // 2, lambda number=number, step=step: self._ask(number, step))

    def run(self) -> list[Answer]:
        """Everything that came back, in the order of the steps."""
        while self._moments and (self.asked is None or len(self.answers) <= self.asked):
            heapq.heappop(self._moments)[2]()
        return self.answers

    def _at(self, when: int, happens: Callable[[], object]) -> None:
        if when < NEVER:
            heapq.heappush(self._moments, (when, next(self._order), happens))

    def _crowd(self, node: str, now: int, many: int) -> None:
        for number in range(many):
            self.store.save(self.nodes[node], Session(-1, f"other-{node}-{number}"), now)

    # --- faults ----------------------------------------------------------------------------------------------------

    def _begin(self, label: int, fault: Fault) -> None:
        kind, node, server, now = fault.kind, self.nodes.get(fault.victim), self.server, fault.bites
        if kind == "workers":
            for each in self.nodes.values():
                each.memories = [{}, {}]
        elif kind == "no-affinity":
            self.astray.add(label)
        elif kind == "scale-out":
            self._grow(f"n{len(self.setup.nodes) + 1}")
        elif node is not None and node.up:
            self._strike(label, fault, node)
        elif server is not None and kind == "store-kill":
            server.go_down()
        elif server is not None and kind == "promoted":
            server.promote(now)
        elif server is not None and kind == "replica-cut":
            server.cut = True
        elif server is not None and kind == "store-full":
            server.fill(now)

    def _strike(self, label: int, fault: Fault, node: Node) -> None:
        kind = fault.kind
        if kind in DOWN:
            self._go_down(label, node, fault.bites)
        elif kind == "freeze":
            node.frozen = True
            self._at(fault.bites + NOTICED, lambda: node.frozen and self.shunned[node.name].add(label))
        elif kind in ("drain", "deploy"):
            if self.setup.affinity == "hash":  # with cookies, whoever belongs there still goes there
                self.shunned[node.name].add(label)
            if kind == "deploy":
                self._at(fault.healed, lambda: self._go_down(label, node, fault.healed))
        elif kind in CLOCKS:
            node.off[label] = CLOCKS[kind]
        elif kind == "memory-cap":
            node.cap = CAP
            node.keep("", None)
        elif kind in ("sick", "sick-afterwards"):
            node.errors = kind

    def _go_down(self, label: int, node: Node, now: int) -> None:
        node.end()
        self._at(now + NOTICED, lambda: node.up or self.shunned[node.name].add(label))

    def _end(self, label: int, fault: Fault) -> None:
        kind, node, server, now = fault.kind, self.nodes.get(fault.victim), self.server, fault.ends
        self.astray.discard(label)
        if node is not None and kind != "scale-in":
            self._recover(label, fault, node)
            self._at(fault.over - 1, lambda: self.shunned[node.name].discard(label))
        elif server is not None and kind == "store-kill":
            server.come_back()
        elif server is not None and kind == "replica-cut":
            server.cut = False
            server.replicate(now)
        elif server is not None and kind == "store-full":
            server.full = False

    def _recover(self, label: int, fault: Fault, node: Node) -> None:
        kind = fault.kind
        if kind in (*DOWN, "deploy") and not node.up:
            node.up = True
            key, accepts = KEYS.get(kind, (node.key, node.accepts))
            node.key, node.accepts = key, frozenset(accepts)
            node.ready = False
        elif kind == "freeze" and node.frozen:
            node.frozen = False
            missed, node.missed = node.missed, []
            self._at(fault.over + US // 2, lambda: [node.keep(*each) for each in missed if node.up])
        elif kind in ("sick", "sick-afterwards"):
            node.errors = ""
        elif kind == "memory-cap":
            node.cap = NEVER
        node.off.pop(label, None)
        if isinstance(self.store, Replicated):
            self.store.settle()

    def _grow(self, name: str, *why_not: Label) -> None:
        if name not in self.nodes:
            self.nodes[name], self.shunned[name] = Node(name), set(why_not)

    # --- the balancer ----------------------------------------------------------------------------------------------

    def _route(self, step: Step, browser: Browser) -> list[str]:
        """Whom the balancer asks, in turn, until one answers without an error."""
        there = sorted(name for name, why in self.shunned.items() if not why)
        after = [name for name in there if name >= step.to] + [name for name in there if name < step.to]
        ring = there[(step.shopper * 7 + 3) % len(there)] if there else ""
        first = after[0] if after else ""
        if self.setup.affinity == "cookie" and not self.astray and browser.node in there:
            first = browser.node
        elif self.setup.affinity == "hash" and not self.astray:
            same = self.done_by is not None and step.do != "login" and ring == browser.owner and browser.home in there
            first = browser.home if same else ring  # in a world without what moved the shopper
        asked = []
        for name in dict.fromkeys((first, *after)) if there else ():
            asked.append(name)
            node = self.nodes[name]
            if not self.setup.retries or (node.up and not node.frozen and not node.errors):
                break
        if step.do == "login" and asked:
            browser.owner = asked[-1]
        return asked

    def _carried_out_by(self, number: int, step: Step, browser: Browser, asked: list[str]) -> list[str]:
        """Who does what is asked; in a counterfactual world, who did."""
        done_by = self.done_by
        if done_by is None:
            return [name for name in asked if self._carries_out(name)]
        if number == self.asked and self.setup.store == "memory":
            if self.setup.affinity == "round-robin":
                return [browser.home] if "other_node" in self.without and browser.home else list(done_by[number])
            return [name for name in asked[:-1] if self._carries_out(name)] + asked[-1:]
        for name in done_by.get(number, ()):
            self._grow(name, "not there")
        return list(done_by.get(number, ()))

    def _carries_out(self, name: str) -> bool:
        node = self.nodes[name]
        return node.up and not node.frozen and node.errors != "sick"

    def _ask(self, number: int, step: Step) -> None:
        browser = self.browsers.setdefault((step.shopper, step.jar), Browser())
        if step.do == "forget_node":
            browser.node = browser.node if "affinity_lost" in self.without else ""
            self.answers.append(Answer(number, step, step.at + TOOK, 0))
            return
        now = step.at + TOOK // 2
        over = browser.written >= 0 and (step.at >= browser.until or now - browser.written >= self.setup.lifetime)
        on_edge = browser.edge[0] - TOOK <= step.at < browser.edge[1]
        asked = self._route(step, browser)
        by = self._carried_out_by(number, step, browser, asked)
        status = 0 if asked and self.nodes[asked[-1]].frozen else 503
        for name in by:
            with self._reached():
                status = self._shop(self.nodes[name], number, step, browser, now)
            if number == self.asked and not self.nodes[name].errors:
                break  # nobody would have asked the next one
            if status == 503:
                by = []
            elif self.nodes[name].errors and self.done_by is None:
                status = 500
        last = by[-1] if step.do == "login" and by else asked[-1] if asked else ""
        if status and last and self.nodes[last].up and self.setup.affinity == "cookie" and not self.astray:
            browser.node = last
        if status == 200 and step.do == "login":
            browser.home = last
        node = by[-1] if by and 0 < status < 500 else ""
        self.answers.append(
            Answer(number, step, step.at + TOOK, status, node, tuple(by), len(asked) > 1, over, on_edge)
        )

    # --- the shop --------------------------------------------------------------------------------------------------

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """In a counterfactual world, whatever was carried out is carried out: a node that would have to ask the store
        there, and had not to, reaches it. It matters what the store would say, not whether it could be asked."""
        server = self.server
        if server is None or self.done_by is None:
            yield
            return
        up, server.up = server.up, True
        yield
        server.up = up

    def _shop(self, node: Node, number: int, step: Step, browser: Browser, now: int) -> int:
        try:
            return self._answer(node, number, step, browser, now)
        except NotReady as node_is:
            return 503 if number != self.asked else 200 if node_is.elsewhere else 401
        except Unavailable:
            return 503 if number != self.asked else 200  # known, and not to be changed just then

    def _answer(self, node: Node, number: int, step: Step, browser: Browser, now: int) -> int:
        cookie = browser.shop if step.at < browser.until else None
        session = None if cookie is None else self.store.read(node, cookie, now)
        if step.do == "login":
            session = Session(step.shopper, f"s{step.shopper}-{number}", node.clock(now))
        elif session is None:
            return 200 if step.do == "browse" else 401
        if step.do.startswith("logout"):
            self.browsers[step.shopper, "stolen"] = replace(browser)
            self.store.end(node, session, now)
            if step.do == "logout_everywhere":
                self.store.end_all(node, session.user, now)
            browser.shop, browser.written = None, -1
        elif step.do in ("login", "add") or self.setup.refresh:
            browser.shop = self.store.save(node, session, now)
            browser.written = now
            browser.until = self._ends(now)
            browser.edge = self._ends(step.at), self._ends(step.at + TOOK)
        return 200

    def _ends(self, written: int) -> float:
        """When a cookie's time is over: browsers and nodes note it in whole seconds."""
        whole = written - (self.setup.epoch + written) % US
        return float("inf") if "expired" in self.without else whole + self.setup.lifetime
