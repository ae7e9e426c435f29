"""The settings of one node: read once from the environment, checked, and never changed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.errors import UsageError
from shared.shop.session_format import FORMATS

_PREFIX = "TWINSHOP_"
# The URLs, too: they may hold a password.
_HIDDEN = frozenset({"secret_key", "fallback_key", "control_token", "redis_url", "database_url"})
_STORES = ("memory", "replicated", "token", "denylist", "redis", "refresh", "refresh-database")
_WITH_SERVER = frozenset({"redis", "denylist", "refresh"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set from outside; field `node` is `TWINSHOP_NODE` and so on.

    The defaults are those of `compose.cluster.Limits` (a test says so).
    """

    database_url: str
    """Any SQLAlchemy URL; the database must have been made by `shared.shop.database.prepare`."""
    secret_key: str
    """Signs tokens and forms. The same on every node of a cluster."""
    fallback_key: str = ""
    """What was signed with it is still accepted; empty: there is none."""
    node: str = "n1"
    run: str = ""
    architecture: str = ""
    store: str = ""
    """`memory`, `replicated`, `token`, `denylist`, `redis`, `refresh` or `refresh-database`; empty: its first."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    sentinel: str = ""
    """host:port of the sentinel that knows where Redis is, by the name `shop`; empty: it is at `redis_url`."""
    replica_self: str = ""
    """host:port where this node listens for other nodes' sessions."""
    replica_peers: str = ""
    """host:port,host:port of the other nodes."""
    session_format: str = "first"
    """What a session looks like inside: one of `shared.shop.session_format.FORMATS`."""
    key_per_process: bool = False
    """Each process signs with a key of its own, made when it starts, as where nobody has set one."""
    cookie_name: str = "session"
    """Cookies ignore ports: two clusters on one host name need two names."""
    session_lifetime_s: int = 3600
    access_lifetime_s: float = 300.0
    """How long an access token is good; then its refresh token is needed."""
    refresh_grace_s: float = 0.0
    """So long after its use a refresh token is answered with the same new one; later, it ends the session."""
    session_absolute_s: int = 0
    """How long a session lives after its login, however much it is used; 0: for as long as it is used."""
    session_cap: int = 100_000
    """The most sessions that a node keeps in its memory; beyond it the longest untouched one goes."""
    session_refresh_each_request: bool = False
    """Write the session on every request (Flask-Session's own default), so that a slow GET can undo a quick POST."""
    store_timeout_s: float = 1.0
    """For connecting to Redis, and for each answer."""
    store_retries: int = 0
    store_connections: int = 0
    """The most connections to Redis at a time, in each process; 0: no bound."""
    store_cache_s: float = 0.0
    """How long to go by Redis' last answer about a token while Redis is away; 0: not at all."""
    cookie_chunks: bool = False
    """A session that does not fit into one cookie is split over several."""
    regenerate_at_login: bool = True
    """A new session id at login; without, a planted id becomes the victim's login (session fixation)."""
    cart_lock: bool = False
    """Cart writes of one session wait for each other, so that none undoes another."""
    idempotency_keys: bool = True
    """A checkout whose key was seen before is the same order; without, keys are not even kept."""
    clock_leeway_s: int = 0
    """How far ahead of this node's own clock a token may have been signed."""
    rate_limit: str = ""
    """Of requests of one user, as Flask-Limiter writes it ("5 per second"); empty: none."""
    rate_limit_counters: str = "node"
    """Who counts them: each `node` for itself, or all of them in the `store`."""
    login_failures: str = ""
    """Of wrong passwords from one address, as Flask-Limiter writes it ("10 per minute"); empty: none."""
    shop_title: str = ""
    """What a workshop calls this shop, on each of its pages and on their tabs; empty: it is in no workshop."""
    slow_page_ms: int = 400
    """How long `GET /recommendations` takes."""
    deep_health: bool = False
    """`GET /healthz` asks the session store too."""
    password_cost: int = 1024
    """The N of scrypt: a power of two. Below 128, werkzeug gives scrypt less memory than it wants."""
    node_threads: int = 8
    """How many requests one process answers at a time."""
    node_workers: int = 1
    """Processes that serve this node's address, each with a memory of its own."""
    boot: str = ""
    """The id of this start, the same in all processes of the node (`shared.node` sets it); empty: a new one."""
    request_log: str = ""
    """The path of the node's request log; empty: none is written."""
    control_token: str = ""
    """Opens the pages below `/-/`; empty: they do not exist."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense, by the variable's name."""
        for name, why in _complaints(self):
            raise UsageError(
                f"{_PREFIX}{name.upper()} cannot be {_shown(name, getattr(self, name))}",
                why=why,
                next_step=f"set {_PREFIX}{name.upper()} to something that fits",
            )

    def __repr__(self) -> str:
        """All settings but the secrets, so that no log or traceback can hold them."""
        shown = (f"{name}={_shown(name, getattr(self, name))}" for name in self.__struct_fields__)
        return f"Settings({', '.join(shown)})"

    def for_this_process(self) -> Settings:
        """The same; where each process is to have a key of its own, with one."""
        own = {"secret_key": secrets.token_hex(16), "fallback_key": ""}
        return msgspec.structs.replace(self, **own) if self.key_per_process else self

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings in these environment variables (the process's own, if none are given).

        Raises:
            UsageError: one is missing or makes no sense; the message names it.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, object] = {}
        for field in msgspec.structs.fields(cls):
            variable = _PREFIX + field.name.upper()
            text = environ.get(variable)
            if text is not None:  # an empty one is a value, too: no sentinel, no limit
                found[field.name] = _read(variable, text, field.type)
            elif field.required:
                raise UsageError(
                    f"{variable} is not set",
                    why="a node cannot run without it",
                    next_step="start nodes with `twinshop up`, or set it by hand",
                )
        return cls(**found)  # type: ignore[arg-type]


SENTINEL_MASTER = "shop"
"""The name by which a sentinel knows our Redis."""


def redis_patience(settings: Settings) -> dict[str, Any]:
    """How long a client of Redis waits, and how often it asks again."""
    from redis.backoff import NoBackoff  # not loaded by nodes that ask no Redis
    from redis.retry import Retry

    # Left alone, redis-py asks 10 times and waits 5 s each time: then the client's patience is what is measured.
    return {
        "socket_timeout": settings.store_timeout_s,
        "socket_connect_timeout": settings.store_timeout_s,
        "retry": Retry(NoBackoff(), settings.store_retries),
    }


def _read(variable: str, text: str, kind: object) -> object:
    """One variable, as the kind of thing that its setting is."""
    if kind is bool:
        if text in {"0", "1"}:
            return text == "1"
        expected = "0 or 1"
    elif kind in (int, float):
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
    else:
        return text
    raise UsageError(f"{variable} is {text!r}", why=f"expected {expected}", next_step=f"set {variable} to {expected}")


def _shown(name: str, value: object) -> str:
    return "(hidden)" if name in _HIDDEN else repr(value)


def _complaints(settings: Settings) -> list[tuple[str, str]]:
    """Each setting that makes no sense, and why."""
    cost, counters = settings.password_cost, settings.rate_limit_counters
    rules = (
        ("secret_key", len(settings.secret_key) >= 8, "expected at least 8 characters"),
        ("fallback_key", not 0 < len(settings.fallback_key) < 8, "expected at least 8 characters, or none"),
        ("store", settings.store in {"", *_STORES}, f"expected one of {', '.join(_STORES)}"),
        ("session_format", settings.session_format in FORMATS, f"expected one of {', '.join(FORMATS)}"),
        ("session_lifetime_s", settings.session_lifetime_s >= 1, "expected at least 1 second"),
        ("access_lifetime_s", 0.1 <= settings.access_lifetime_s <= 86_400, "expected 0.1 to 86400 seconds"),
        ("refresh_grace_s", 0 <= settings.refresh_grace_s <= 3600, "expected 0 to 3600 seconds"),
        ("session_absolute_s", settings.session_absolute_s >= 0, "expected seconds, or 0 for no such bound"),
        ("session_cap", settings.session_cap >= 2, "expected at least 2 sessions"),
        ("store_timeout_s", 0 < settings.store_timeout_s <= 60, "expected more than 0 and at most 60 seconds"),
        ("store_retries", 0 <= settings.store_retries <= 20, "expected 0 to 20"),
        ("store_connections", 0 <= settings.store_connections <= 10_000, "expected 0 to 10,000 connections"),
        ("store_cache_s", 0 <= settings.store_cache_s <= 3600, "expected 0 to 3600 seconds"),
        ("sentinel", _is_address(settings.sentinel), "expected host:port"),
        ("clock_leeway_s", 0 <= settings.clock_leeway_s <= 3600, "expected 0 to 3600 seconds"),
        ("rate_limit", _is_rate_limit(settings.rate_limit), 'expected something like "5 per second"'),
        ("login_failures", _is_rate_limit(settings.login_failures), 'expected something like "10 per minute"'),
        ("rate_limit_counters", counters in {"node", "store"}, "expected node or store"),
        (
            "rate_limit_counters",
            not settings.rate_limit or counters == "node" or settings.store in _WITH_SERVER,
            f"only {' and '.join(sorted(_WITH_SERVER))} have a store that all nodes share",
        ),
        ("slow_page_ms", 0 <= settings.slow_page_ms <= 60_000, "expected 0 to 60000 milliseconds"),
        ("password_cost", 128 <= cost <= 2**16 and cost & (cost - 1) == 0, "expected a power of two, 128 to 65536"),
        ("node_threads", 1 <= settings.node_threads <= 256, "expected 1 to 256"),
        ("node_workers", 1 <= settings.node_workers <= 16, "expected 1 to 16"),
    )
    return [(name, why) for name, fine, why in rules if not fine]


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return not text or bool(host and port.isdecimal() and 0 < int(port) < 2**16)


def _is_rate_limit(text: str) -> bool:
    if not text:
        return True
    from limits import parse_many  # not loaded by nodes that have no limit

    try:
        return bool(parse_many(text))
    except ValueError:
        return False
