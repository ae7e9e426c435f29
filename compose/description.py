"""The description of an application: one TOML file as a struct. `compose.applications.description_file` reads it.

It says how a node is started, who may log in, and up to five requests with what to take from their answers. What it
does not describe is not asked, and not measured. Walk one value through it: `[remember]` sends it in the place of
`{value}`; `[recall]` says where in a later answer it stands; a shopper who is shown another one, or none, has lost it.
"""

from typing import Literal

import msgspec

from compose.architectures import Affinity, Architecture, Store
from compose.interface import Call, Extract, ShopperInterface, ShownPlaces, Sign

Sessions = Store
"""Where an application's sessions live, in the words of architectures."""
Keeps = Literal["one", "all"]
KeptIn = Literal["session", "account"]


class LoginCall(Call, frozen=True):
    """Log in."""

    ok: Sign = Sign()
    """Of [login]. How its answer says that it went well. Without: any status below 400, and not as a stranger."""
    token: Extract | None = None
    """Of [login]. What `{token}` in later requests stands for: a bearer token, say. Logging out forgets it, as a client
    does."""


class WhoCall(Call, frozen=True):
    """Who am I: a page that only somebody who is logged in is shown."""

    user: Extract | None = None
    """Of [who]. Where the shopper's name stands. If no page tells it, omit it: then nobody can tell that a page
    is somebody else's."""
    shows: str = "{user}"
    """Of [who]. What stands there for each account."""


class RememberCall(Call, frozen=True):
    """Remember a value."""

    keeps: Keeps = "one"
    """Of [remember]. one: a new value takes the place of the one before; all: they are added up."""
    kept_in: KeptIn = "session"
    """Of [remember]. session: it goes when one logs out; account: it is there at the next login. Without [logout],
    nothing checks that."""


class RecallCall(Call, frozen=True):
    """Read back what was remembered."""

    value: Extract = Extract()
    """Of [recall]. Where it stands; where it keeps all, every match counts."""


class NodeCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a node is started: a command of which `{port}` is replaced. See `PLACES` for the other words."""

    command: list[str]
    """The program and its arguments; it is run in the folder of the description."""
    ready: str
    """A path that answers 200 when the node is ready; the balancer asks for it, too."""
    prepare: list[str] = []
    """A command that is run once before any node starts: tables, accounts."""
    env: dict[str, str] = {}
    """Variables beside the environment of whoever runs Twinshop."""
    ready_within_s: float = 15.0
    """How long it may take to start, in seconds."""


class NodeService(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """In the place of a command: a service of a compose file, of which the Docker engine starts one container a node.

    What it rests on (`depends_on`) is started once, before it. Ports that the file publishes are not published.
    """

    compose: str
    """The compose file, as seen from the folder of the description."""
    name: str
    """The service that is a node."""
    port: int
    """Where it listens inside of its container."""
    ready: str
    """As of a node that is a command."""
    env: dict[str, str] = {}
    """Variables beside those of the compose file."""
    ready_within_s: float = 30.0
    """As of a node that is a command."""


class AccountSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who may log in: a pattern and one password, a list, or a command that prints `name password` line by line."""

    pattern: str = ""
    """Of the names. `{number}` is 1, 2, …; "user-{number:04d}" writes it with four digits."""
    password: str = ""
    """Of everybody whom the pattern names."""
    list: tuple[tuple[str, str], ...] = ()
    """Names and passwords."""
    command: tuple[str, ...] = ()
    """It is run before any node starts, and `{count}` of it is how many are needed."""


class DescribedVariant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way to run the application: where its sessions live, how the balancer routes, and its settings for that."""

    sessions: Sessions = "unknown"
    """memory, replicated, token, denylist, redis (a Redis-compatible server is started with the cluster), shared (a
    database or a folder that is the application's own); unknown: then nothing is predicted, and no cause is named."""
    affinity: Affinity = "cookie"
    """How the balancer picks the node: cookie, round-robin, hash, address, least-request, weighted."""
    env: dict[str, str] = {}
    """Variables beside the node's, of this variant only."""


class Running(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """It runs already, with nothing of ours in front of it: grade C."""

    url: str
    """http://host:port, what shoppers talk to. One beyond this machine needs `--beyond-this-machine`."""
    most_per_second: float = 20.0
    """A run that would send more requests is refused."""


class FaultCommands(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fault that is carried out by commands of the owner's. Exit code 0 means yes; what they print is not kept."""

    inject: list[str]
    """Breaks it."""
    observe: list[str]
    """Is it broken? Asked again and again."""
    heal: list[str]
    """Mends it. It may be run more than once, and at the end of a run in any case, unless it was seen to be mended."""
    observe_healed: list[str]
    """Is it mended?"""
    within_s: float = 30.0
    """How long `inject` and `heal` may take."""


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An application, as its file describes it."""

    name: str
    """Lower-case letters, digits and hyphens: its architectures are called so, with the variant's name."""
    accounts: AccountSource
    login: LoginCall
    who: WhoCall
    node: NodeCommand | None = None
    service: NodeService | None = None
    """In the place of `node`: the Docker engine runs it."""
    running: Running | None = None
    """In the place of `node`: it runs already."""
    remember: RememberCall | None = None
    """Without it, nobody can tell whether what was remembered is lost."""
    recall: RecallCall | None = None
    logout: Call | None = None
    """Without it, nobody can tell whether a session outlives its logout."""
    stranger: Sign = Sign()
    """How somebody who is not logged in is answered, beside 401 and a redirect to the page of the login."""
    csrf: Extract | None = None
    """Where `{csrf}` stands: in the request's `page`, or in a cookie."""
    headers: dict[str, str] = {}
    """Of every request: `Authorization = "Bearer {token}"`. A header whose `{token}` is not known yet is left out."""
    variant: dict[str, DescribedVariant] = {}
    fault: dict[str, FaultCommands] = {}
    """Of an application that runs already: by the fault's kind, how it is carried out."""
    folder: str = ""
    """Where its file lies: there its commands are run. Not in the file."""

    @property
    def nodes(self) -> NodeCommand | NodeService:
        """How its nodes are started; only of one that does not run already."""
        found = self.node or self.service
        assert found is not None
        return found

    def interface(self) -> ShopperInterface:
        """What its shoppers can ask, and what its answers mean; `add` is `remember` where values are added up."""
        described = {
            "login": self.login, "me": self.who, "remember": self.remember, "add": self.remember,
            "recall": self.recall, "logout": self.logout,
        }  # fmt: skip
        # What is sent, without what its answer means: that stands in `shows` and the fields below.
        calls = {
            do: Call(call.send, call.page, call.form, call.json, call.headers)
            for do, call in described.items() if call is not None
        }  # fmt: skip
        shows = {"me": ShownPlaces(user=self.who.user)}
        if self.recall is not None:
            shows["recall"] = ShownPlaces(values=self.recall.value)
        return ShopperInterface(
            calls=calls, shows=shows, audits=("me", "recall") if self.recall is not None else ("me",),
            headers=self.headers, stranger=self.stranger, let_in=self.login.ok, token=self.login.token, csrf=self.csrf,
            shows_user=self.who.shows, keeps_one=self.remember is not None and self.remember.keeps == "one",
            in_account=self.remember is not None and self.remember.kept_in == "account",
        )  # fmt: skip

    def variants(self) -> dict[str, DescribedVariant]:
        """By name; one without a name of its own if none is described."""
        return self.variant or {"": DescribedVariant()}


def architectures_of(description: Description) -> dict[str, Architecture]:
    """What can be compared of it, by name: one for each variant."""
    found = {}
    for name, variant in description.variants().items():
        full = f"{description.name}-{name}" if name else description.name
        summary = _summary(description, name, variant)
        found[full] = Architecture(full, "described", variant.sessions, variant.affinity, summary)
    return found


def variant_of(description: Description, architecture: str) -> DescribedVariant:
    """The variant that an architecture of it is."""
    return description.variants()[variant_name(description, architecture)]


def variant_name(description: Description, architecture: str) -> str:
    """What the description calls that variant; "" where it has none."""
    return architecture.removeprefix(description.name).removeprefix("-")


_LIVE = {
    "memory": "Sessions live in each node's own memory",
    "replicated": "Nodes keep sessions in their memory and tell each other",
    "token": "The session travels with the shopper",
    "denylist": "The session travels with the shopper, and a shared server knows what was revoked",
    "redis": "Sessions live in a Redis-compatible server that all nodes share",
    "shared": "Sessions live in a place that all nodes share and that is part of the application",
    "unknown": "Nobody said where sessions live",
}


def _summary(description: Description, name: str, variant: DescribedVariant) -> str:
    which = f"{description.name}, variant {name}" if name else description.name
    return f"{which}: {_LIVE[variant.sessions]}; the balancer picks the node by {variant.affinity}."


PLACES = {
    "port": "the port to listen on, at 127.0.0.1",
    "host": "127.0.0.1",
    "node": "the node's name: n1, n2, …",
    "variant": "the variant's name, as in `[variant.NAME]`; nothing where none is described",
    "python": "the Python that runs Twinshop",
    "store": 'redis://…, the address of the Redis-compatible server, where sessions = "redis"',
    "store_port": "its port",
    "shared": "a folder that all nodes of a cluster share, new in each run; it exists before `prepare` is run",
    "own": "a folder of the node's own, emptied at each start, as a container's is",
    "peer": 'host:port at which this node listens for the others, where sessions = "replicated"',
    "peers": "the same of the other nodes: host:port,host:port",
    "secret": "a random secret, the same for all nodes of a cluster",
    "count": "how many accounts are needed",
    "run": "the run's id",
}
"""The words that commands and `env` may hold in braces, and what they stand for."""
IN_CONTAINERS = ("store", "secret", "node", "variant", "count", "run")
"""Those that stand for the same in a container."""
IN_REQUESTS = ("user", "password", "value", "csrf", "token")
"""The same of requests."""
