"""What a balancer is told in front of nodes that do not exist: for its page, and to tell whether that has changed."""

from hashlib import sha256
from pathlib import Path

import msgspec

from compose.balancers.contract import Balancer, Member, Routing, Site
from compose.cluster import Balancing, ClusterSpec, HttpInterface
from compose.supervision.ports import Listen

RUN = "0123abcd"
"""The id for the spec of such a cluster."""
_HOST, _FOLDER = "127.0.0.1", Path("/run/twinshop")


def example_site(balancer: Balancer, spec: ClusterSpec, http: HttpInterface) -> Site:
    """Where it would run: always at the same addresses, in the same folder."""
    return Site(spec, http, Listen(_HOST, 8000), Listen(_HOST, 9000), _FOLDER, _FOLDER / balancer.own_log)


def example_members(spec: ClusterSpec) -> tuple[Member, ...]:
    """The nodes that such a cluster begins with."""
    return tuple(Member(node, Listen(_HOST, 8100 + number)) for number, node in enumerate(spec.node_names, 1))


def example_words(balancer: Balancer, site: Site) -> list[str]:
    """Its command line without what this machine and this start alone have."""
    return [word for word in balancer.words(site) if "TWINSHOP" not in word]


def configuration_sha256(balancer: Balancer, spec: ClusterSpec, http: HttpInterface) -> str:
    """Of all that such a cluster's balancer is told: its command line and its files, at the start and later, when a
    node is drained or weighs more, or people are routed otherwise. The run of `spec` is in the files: take `RUN`."""
    site, members = example_site(balancer, spec, http), example_members(spec)
    first = msgspec.structs.replace(members[0], draining=True, weight=2)
    routings = (
        Routing(members),
        Routing((first, *members[1:])),
        Routing(members, Balancing(affinity=False, retries=1, canary=first.node)),
    )
    told = [example_words(balancer, site), *(balancer.files(site, routing) for routing in routings)]
    return sha256(msgspec.json.encode(told)).hexdigest()
