"""What the page of balancers says: what each can do, how it is started, and all that it is told to read."""

import shlex
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from compose.applications import SHIPPED
from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from compose.balancers.contract import Balancer, Member, Routing, Site
from compose.cluster import ClusterSpec
from compose.supervision.ports import Listen
from loadtests.report.markdown_pages import code

HOST = "127.0.0.1"
CAN = ("drain", "live_membership", "live_affinity", "live_retries", "tells_health", "learns_from_failures")


class ShownFile(NamedTuple):
    """A file that a balancer reads, as the page shows it."""

    name: str
    text: str
    is_difference: bool
    """The text is how it differs from the recommended one."""


class ShownBalancer(NamedTuple):
    """A balancer, how it is started, and all that it is told to read."""

    balancer: Balancer
    command: str
    files: list[ShownFile]


def abilities() -> Iterator[tuple[str, ...]]:
    """A row for each balancer: what it can do."""
    for name, balancer in BALANCERS.items():
        can = ("yes" if getattr(balancer.can, word) else "no" for word in CAN)
        affinities = ", ".join(sorted(balancer.can.affinities))
        yield code(name), f"{balancer.title} {balancer.version}", *can, affinities


def balancers() -> Iterator[ShownBalancer]:
    """Each of them in front of three nodes of `sticky-memory`."""
    for balancer in BALANCERS.values():
        # Made-up id, folder and ports: nothing is started, and what is shown must not change from page to page.
        spec = ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"], balancer=balancer.name)
        folder = Path("/run/twinshop")
        listen, admin = Listen(HOST, 8000), Listen(HOST, 9000)
        site = Site(spec, SHIPPED.http, listen, admin, folder, folder / balancer.own_log)
        # Without what this machine and this start alone have: a page must be the same wherever it is made.
        words = [word for word in balancer.words(site) if "TWINSHOP" not in word]
        command = shlex.join([balancer.system_names[0], *words])
        yield ShownBalancer(balancer, command, list(_shown(balancer, site)))


def _shown(balancer: Balancer, site: Site) -> Iterator[ShownFile]:
    plain = _plain(balancer)
    beside = _files(plain, site)
    for name, text in _files(balancer, site).items():
        if balancer is plain:
            yield ShownFile(name, text, is_difference=False)
        elif text != beside[name]:
            # The first two lines of a difference name two files.
            lines = list(unified_diff(beside[name].splitlines(), text.splitlines(), lineterm="", n=1))[2:]
            yield ShownFile(name, "\n".join(lines), is_difference=True)


def _plain(balancer: Balancer) -> Balancer:
    """The same program as recommended."""
    # By package, as a variant has another name: it is the one thing that variants of a program share with no other.
    return next(it for it in BALANCERS.values() if not it.variant.name and balancer.package == it.package)


def _files(balancer: Balancer, site: Site) -> dict[str, str]:
    members = tuple(Member(f"n{number}", Listen(HOST, 8100 + number)) for number in (1, 2, 3))
    return {name: content.decode().rstrip() for name, content in balancer.files(site, Routing(members)).items()}
