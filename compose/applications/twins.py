"""The twins as an application under test: both are started, asked and told alike (`shared.node`, `shared.shop`)."""

import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from compose.applications.contract import Application, ApplicationCapabilities, NodeSetup, NodeState
from compose.cluster import ClusterSpec, HttpInterface, Key, Limits, Reply
from compose.interface import Call, ShopperInterface, ShownKeys, ShownPlaces
from compose.probes import PROBE_S, SelfReport, Unanswered, ask, ask_page
from shared.demo_accounts import DatabaseOrder
from shared.errors import TwinshopError
from shared.sessions import HeldSession, Injection, fingerprint
from shared.shop.catalogue import BY_SKU, ENGRAVED
from shared.shop.settings import Settings

STATE_WITHIN_S, TROUBLE_WITHIN_S, ADMINISTERED_WITHIN_S = 0.6, 1.0, 6.0
FROM_LIMITS = tuple(name for name in Limits.__struct_fields__ if name in Settings.__struct_fields__)
"""Limits that are settings of a node by the same name."""
PUBLIC_PATHS = (  # what the shop serves to people; a test holds it against the shop's own routes
    "/(products|recommendations|cart|checkout|orders)?",
    "/(login|logout|logout/everywhere|me|password|sessions)",
    "/cart/[A-Za-z0-9_-]+(/remove)?",
    "/sessions/[A-Za-z0-9_-]+/end",
    r"/static/[A-Za-z0-9._-]+",
)
_JSON = {"Accept": "application/json"}
CALLS: dict[str, Call] = {
    "login": Call("POST /login", json={"user": "{user}", "password": "{password}"}, headers=_JSON),
    "browse": Call("GET /products", headers=_JSON),
    "add": Call("POST /cart", json={"sku": "{sku}", "quantity": "{quantity}"}, headers=_JSON),
    # It has no body; by this header a foreign page would need a preflight, so the shop asks for no CSRF token.
    "remove": Call("DELETE /cart/{sku}", headers={**_JSON, "Content-Type": "application/json"}),
    "cart": Call("GET /cart", headers=_JSON),
    "checkout": Call("POST /checkout", json={}, headers={**_JSON, "Idempotency-Key": "{key}"}),
    "orders": Call("GET /orders", headers=_JSON),
    "me": Call("GET /me", headers=_JSON),
    "logout": Call("POST /logout", json={}, headers=_JSON),
    "logout_everywhere": Call("POST /logout/everywhere", json={}, headers=_JSON),
    "linger": Call("GET /recommendations", headers=_JSON),
    "watch": Call("GET /orders/progress", headers={"Accept": "text/event-stream"}),
    # A page with a form, whose CSRF token needs a session.
    "arrive": Call("GET /login", headers={"Accept": "text/html"}),
}
ACCOUNT = {
    "change_password": Call("POST /password", json={"password": "{password}", "new": "{new}"}, headers=_JSON),
    "sessions": Call("GET /sessions", headers=_JSON),
    "end_session": Call("POST /sessions/{session}/end", json={"password": "{password}"}, headers=_JSON),
}
_KNOWS = ShownPlaces(keys=ShownKeys("user", "cart", "order", "orders"))
UNREAD = frozenset({"browse", "arrive", "watch"})  # say nothing about the shopper, or say it to a person, as a page
Said = TypeVar("Said")


class _Health(msgspec.Struct):
    boot: str


_decode_health = msgspec.json.Decoder(_Health).decode


class _Held(msgspec.Struct):
    sessions: list[HeldSession]


_decode_held = msgspec.json.Decoder(_Held).decode


class _State(msgspec.Struct):
    boot: str
    pid: int
    pids: tuple[int, ...] = ()
    key: str = ""
    fallback: str = ""
    clock_us: int = 0
    trouble: Injection = Injection()
    format: str = ""


_decode_state = msgspec.json.Decoder(_State).decode


def session_cookie(spec: ClusterSpec) -> str:
    """The shop's session cookie; each cluster its own, since cookies ignore ports."""
    return f"twinshop-{spec.architecture.name}-{spec.run}"


class Twins(Application):
    """`stateful_app` and `stateless_app`; which one, the architecture says."""

    can = ApplicationCapabilities(
        names_itself=True,
        logs_requests=True,
        lists_sessions=True,
        takes_trouble=True,
        shows_orders=True,
        takes_settings=True,
        takes_keys=True,
        takes_versions=True,
        answers_by_status=True,
    )
    http = HttpInterface(
        "/healthz",
        "X-Node",
        "X-Run",
        private="/-/",
        public=PUBLIC_PATHS,
        streams=("/orders/progress",),
        tells_nobody=("/static/", "/orders/progress", "/login"),
    )

    interface = ShopperInterface(
        CALLS, {do: _KNOWS for do in CALLS if do not in UNREAD}, ("me", "orders"), follows=False,
        account=ACCOUNT, articles=tuple(BY_SKU), made_to_order=ENGRAVED,
    )  # fmt: skip

    def command(self, spec: ClusterSpec, setup: NodeSetup, python: str = sys.executable) -> list[str]:
        """The same program, whichever Python runs it."""
        # -P: a folder that happens to be named like ours is not imported in its place.
        module = ("-P", "-m", "shared.node", spec.architecture.app)
        return [python, *module, "--host", setup.listen.host, "--port", str(setup.listen.port)]

    def environment(self, spec: ClusterSpec, setup: NodeSetup) -> dict[str, str]:
        """Every setting of that node, by variable; `shared.shop.settings` reads them."""
        settings = {
            "NODE": setup.node,
            "RUN": spec.run,
            "ARCHITECTURE": spec.architecture.name,
            "STORE": spec.architecture.store,
            "DATABASE_URL": setup.database_url,
            "SECRET_KEY": setup.secret_key,
            "SESSION_FORMAT": setup.session_format,
            "CONTROL_TOKEN": setup.control_token,
            "COOKIE_NAME": session_cookie(spec),
            "REQUEST_LOG": setup.request_log,
            **{name.upper(): _written(getattr(spec.limits, name)) for name in FROM_LIMITS},
        }
        where = {
            "REDIS_URL": setup.store_url,
            "FALLBACK_KEY": setup.fallback_key,
            "SENTINEL": setup.sentinel,
            "REPLICA_SELF": setup.replica_self,
            "REPLICA_PEERS": setup.replica_peers,
            "SHOP_TITLE": spec.public.title if spec.public else "",
        }
        settings |= {name: value for name, value in where.items() if value}
        return {f"TWINSHOP_{name}": value for name, value in settings.items()}

    def prepare(self, spec: ClusterSpec, database_url: str) -> None:
        """Make the tables and the demo accounts user-0001 … ."""
        from shared.shop.database import prepare  # costs 0.2 s to import; the parts start meanwhile

        prepare(
            database_url, accounts=spec.accounts, password=spec.password, cost=spec.limits.password_cost,
            guests=spec.guests,
        )  # fmt: skip

    def health(self, url: str, run: str) -> SelfReport:
        """Ask a node for its health."""
        where = urlsplit(url).netloc
        try:
            answer = ask(f"{url}{self.http.health}", within_s=PROBE_S)
        except Unanswered as silence:
            return SelfReport.silence(where, silence)
        said = answer.headers.get("x-run")
        if said != run:  # before its status: of somebody else's server no status means anything
            return SelfReport(False, None, f"{where} is not ours: its X-Run is {said!r}", foreign=True)
        asked = f"{where}{self.http.health}"
        if answer.status != 200:
            return SelfReport(False, None, f"{asked}: {answer.status}")
        try:
            boot = _decode_health(answer.body).boot
        except msgspec.DecodeError as error:
            return SelfReport(False, None, f"{asked}: {error}")
        return SelfReport(True, boot, f"{asked}: 200, boot {boot}")

    def served(self, answer_headers: Mapping[str, str], run: str) -> str:
        """By `X-Run`, which a balancer in front of us sets in its own answers too."""
        said = answer_headers.get("x-run", "missing")
        return "" if said == run else f"this run is {run}, the answer's X-Run is {said}"

    def probe(self, url: str) -> Reply:
        """Ask a node for the catalogue. Ids that begin with "probe-" are not in its request log."""
        request = f"probe-{secrets.token_hex(4)}"
        return ask_page(url, "/products", {"X-Request-Id": request, "Accept": "application/json"})

    def state(self, url: str, control_token: str, keys: Mapping[Key, str]) -> NodeState | None:
        """By its control page; it tells its keys' fingerprints only."""
        said = _control_page(f"{url}/-/state", control_token, _decode_state, STATE_WITHIN_S)
        if said is None:
            return None
        names = {fingerprint(key): name for name, key in keys.items()}
        key, fallback = names.get(said.key), names.get(said.fallback)
        return NodeState(said.boot, said.pid, said.pids, key, fallback, said.clock_us, said.trouble, said.format)

    def held(self, url: str, control_token: str) -> list[HeldSession] | None:
        """By its control page."""
        said = _control_page(f"{url}/-/sessions", control_token, _decode_held, 2 * PROBE_S)
        return None if said is None else said.sessions

    def trouble(self, url: str, control_token: str, trouble: Injection) -> None:
        """By its control page."""
        with suppress(Unanswered):
            told, headers = msgspec.json.encode(trouble), {"X-Control-Token": control_token}
            status = ask(f"{url}/-/trouble", headers=headers, put=told, within_s=TROUBLE_WITHIN_S).status
            if status >= 300:
                where = urlsplit(url).netloc
                raise TwinshopError(f"the node at {where} cannot be made to fail: its control page answers {status}")

    def administer(self, url: str, control_token: str, user: str, what: Literal["end", "disable"]) -> int:
        """By its control page."""
        page, headers = f"{url}/-/users/{user}/{what}", {"X-Control-Token": control_token}
        with suppress(Unanswered):
            return ask(page, headers=headers, method="POST", within_s=ADMINISTERED_WITHIN_S).status
        return 0

    def orders(self, database_url: str) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""
        from shared.shop.database import read_orders  # costs 0.2 s to import: not at every start of the command line

        return read_orders(database_url)


def _control_page(url: str, control_token: str, read: Callable[[bytes], Said], within_s: float) -> Said | None:
    try:
        answer = ask(url, headers={"X-Control-Token": control_token}, within_s=within_s)
        return read(answer.body) if answer.status == 200 else None
    except (Unanswered, msgspec.DecodeError):
        return None


def _written(value: object) -> str:
    # A node takes "1" and "0" only.
    return str(int(value)) if isinstance(value, bool) else str(value)
