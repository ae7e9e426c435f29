"""Where sessions are: dictionaries, signatures and ages, as the shop's stores do it themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.loadtests.session_model.truth.happenings import NEVER, US, Setup

CAP = 10
"""What a capped node holds."""
IDLE = 1 * US
"""Who was not seen for so long is thrown out by a full store."""


class Unavailable(Exception):
    """The shop cannot ask its store: 503."""


class NotReady(Unavailable):
    """The node does not know yet what the others do."""

    def __init__(self, *, elsewhere: bool) -> None:
        super().__init__()
        self.elsewhere = elsewhere
        """Another one does know the session."""


@dataclass(frozen=True)
class Session:
    """What the shop knows of somebody, wherever that is kept."""

    user: int
    name: str
    """Its id."""
    issued: int = 0
    """When it was opened, by the clock of the node that did."""


@dataclass(frozen=True)
class Held:
    """A session under its id, for as long as its time is not over by the clock of whoever reads."""

    session: Session
    expires: float
    touched: int = 0


@dataclass(frozen=True)
class Token:
    """A session that travels: signed with a key, at a whole second of the signer's clock."""

    session: Session
    key: str
    signed_s: int


@dataclass
class Node:
    """One process: its memory (or memories), its clock, its keys, and what it was told to suffer from."""

    name: str
    up: bool = True
    frozen: bool = False
    ready: bool = True
    """It has what the others have."""
    errors: str = ""
    memories: list[dict[str, Held]] = field(default_factory=lambda: [{}])
    missed: list[tuple[str, Held | None]] = field(default_factory=list)
    """What it was told while it could not listen."""
    off: dict[int, int] = field(default_factory=dict)
    cap: int = NEVER
    key: str = "own"
    accepts: frozenset[str] = frozenset({"own"})

    def clock(self, now: int) -> int:
        """The time that it takes for the right one."""
        return now + sum(self.off.values())

    def end(self) -> None:
        """Its process is gone, with all that was in it."""
        self.up, self.frozen, self.errors, self.cap, self.missed = False, False, "", NEVER, []
        self.memories = [{} for _ in self.memories]
        self.off.clear()

    def memory(self, now: int) -> dict[str, Held]:
        """Its memory; if it has several, the one of the process that happens to answer in that second."""
        return self.memories[now // US % len(self.memories)]

    def keep(self, name: str, held: Held | None, now: int = 0) -> None:
        """Put it into a memory (or take it out), and make room: the longest untouched go."""
        memory = self.memory(now)
        memory.pop(name, None)
        if held is not None:
            memory[name] = held
        for oldest in sorted(memory, key=lambda each: memory[each].expires)[: max(0, len(memory) - self.cap)]:
            del memory[oldest]


class Store:
    """What a node does with a request's session. `cookie` is what the browser sent."""

    def __init__(self, setup: Setup, nodes: dict[str, Node], lifetime: float) -> None:
        self.setup, self.nodes, self.lifetime = setup, nodes, lifetime

    def read(self, node: Node, cookie: object, now: int) -> Session | None:
        """Who that is; None: a stranger."""
        held = node.memory(now).get(str(cookie))
        return held.session if held is not None and held.expires > node.clock(now) else None

    def save(self, node: Node, session: Session, now: int) -> object:
        """Keep it; what the browser is to send from now on."""
        node.keep(session.name, Held(session, node.clock(now) + self.lifetime), now)
        return session.name

    def end(self, node: Node, session: Session, now: int) -> None:
        """Forget one."""
        node.keep(session.name, None, now)

    def end_all(self, node: Node, user: int, now: int) -> None:
        """Forget all of that user's, as far as this store can."""
        for memory in node.memories:
            for name in [name for name, held in memory.items() if held.session.user == user]:
                del memory[name]


class Replicated(Store):
    """Each node tells all others; a change needs a majority that listens."""

    def _tell(self, name: str, held: Held | None, now: int) -> None:
        listening = self._listening()
        if 2 * len(listening) <= len(self.nodes):
            raise Unavailable
        for node in self.nodes.values():
            if node in listening:
                node.keep(name, held, now)
            elif node.frozen:
                node.missed.append((name, held))

    def save(self, node: Node, session: Session, now: int) -> object:
        self._tell(session.name, Held(session, node.clock(now) + self.lifetime), now)
        return session.name

    def end(self, node: Node, session: Session, now: int) -> None:
        self._tell(session.name, None, now)

    def read(self, node: Node, cookie: object, now: int) -> Session | None:
        if not node.ready:
            others = [each for each in self.nodes.values() if each is not node and each.up]
            raise NotReady(elsewhere=any(super(Replicated, self).read(each, cookie, now) for each in others))
        return super().read(node, cookie, now)

    def settle(self) -> None:
        """Who came back gets what the others have, as soon as a majority listens."""
        listening = self._listening()
        ready = [node for node in listening if node.ready]
        for node in listening if 2 * len(listening) > len(self.nodes) else ():
            if not node.ready and ready:
                node.memories = [dict(memory) for memory in ready[0].memories]
            node.ready = True

    def _listening(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.up and not node.frozen]


class Server(Store):
    """A store beside the nodes, with a replica that hears of everything a little later, unless it is cut off."""

    def __init__(self, setup: Setup, nodes: dict[str, Node], lifetime: float) -> None:
        super().__init__(setup, nodes, lifetime)
        self.up, self.full, self.cut = True, False, False
        self.content: dict[str, Held] = {}
        self.replica: dict[str, Held] = {}
        self.pending: list[tuple[int, str, Held | None, bool]] = []

    def ask(self) -> dict[str, Held]:
        """What it holds."""
        if not self.up:
            raise Unavailable
        return self.content

    def put(self, name: str, held: Held | None, now: int) -> None:
        """Change it."""
        content = self.ask()
        if self.full and not self.setup.evicts and held is not None:
            raise Unavailable
        content.pop(name, None)
        if held is not None:
            content[name] = held
        self.pending.append((now, name, held, self.cut))

    def replicate(self, until: int) -> None:
        """What was written by then has arrived; what was written while the way was shut waits until it is open."""
        waiting = []
        for written, name, held, cut in self.pending:
            if written > until or (cut and self.cut):
                waiting.append((written, name, held, cut))
            else:
                self.replica.pop(name, None)
                self.replica |= {name: held} if held is not None else {}
        self.pending = waiting

    def go_down(self) -> None:
        """Its process is gone, and with it all that it has in no file."""
        self.up = False
        self.content = self.content if self.setup.append_only else {}

    def come_back(self) -> None:
        """It is there again; a replica that hears it becomes the same."""
        self.up = True
        if not self.cut:
            self.replica, self.pending = dict(self.content), []

    def promote(self, now: int) -> None:
        """The replica takes its place."""
        self.replicate(now - self.setup.lag)
        self.content, self.pending, self.cut = dict(self.replica), [], False

    def fill(self, now: int) -> None:
        """No room is left."""
        self.full = True
        if self.setup.evicts:
            self.content = {name: held for name, held in self.content.items() if held.touched > now - IDLE}

    def read(self, node: Node, cookie: object, now: int) -> Session | None:
        held = self.ask().get(str(cookie))
        if held is None or held.expires <= now:
            return None
        self.content[str(cookie)] = replace(held, touched=now)
        return held.session

    def save(self, node: Node, session: Session, now: int) -> object:
        self.put(session.name, Held(session, now + self.lifetime, now), now)
        return session.name

    def end(self, node: Node, session: Session, now: int) -> None:
        self.put(session.name, None, now)

    def end_all(self, node: Node, user: int, now: int) -> None:
        for name in [name for name, held in self.ask().items() if held.session.user == user]:
            self.put(name, None, now)


class Tokens(Store):
    """Nothing is kept: a signature and an age decide."""

    def _second(self, node: Node, now: int) -> int:
        return (self.setup.epoch + node.clock(now)) // US

    def read(self, node: Node, cookie: object, now: int) -> Session | None:
        if not isinstance(cookie, Token) or cookie.key not in node.accepts:
            return None
        age = self._second(node, now) - cookie.signed_s
        return cookie.session if -self.setup.leeway_s <= age <= self.lifetime / US else None

    def save(self, node: Node, session: Session, now: int) -> object:
        return Token(session, node.key, self._second(node, now))

    def end(self, node: Node, session: Session, now: int) -> None:
        pass

    def end_all(self, node: Node, user: int, now: int) -> None:
        pass


class Denylist(Tokens):
    """Tokens, and a server that is asked on each request which of them were ended."""

    def __init__(self, setup: Setup, nodes: dict[str, Node], lifetime: float) -> None:
        super().__init__(setup, nodes, lifetime)
        self.server = Server(setup, nodes, lifetime)

    def read(self, node: Node, cookie: object, now: int) -> Session | None:
        session = super().read(node, cookie, now)
        if session is None:
            return None
        listed = self.server.ask()
        mark = listed.get(f"all of {session.user}")
        return None if session.name in listed or (mark and session.issued <= mark.expires) else session

    def end(self, node: Node, session: Session, now: int) -> None:
        self.server.put(session.name, Held(session, 0, now), now)

    def end_all(self, node: Node, user: int, now: int) -> None:
        self.server.put(f"all of {user}", Held(Session(user, ""), node.clock(now), now), now)


STORES: dict[str, type[Store]] = {
    "memory": Store, "replicated": Replicated, "redis": Server, "token": Tokens, "denylist": Denylist,
}  # fmt: skip


def server_of(store: Store) -> Server | None:
    """The server that it asks, if it does."""
    return store if isinstance(store, Server) else store.server if isinstance(store, Denylist) else None
