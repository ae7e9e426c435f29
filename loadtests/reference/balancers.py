"""What the page of balancers says: what each can do, how it is started, and all that it is told to read."""

import shlex
from collections.abc import Iterator
from difflib import unified_diff
from typing import NamedTuple

from compose.applications import SHIPPED
from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from compose.balancers.contract import Balancer, Routing, Site
from compose.balancers.example import RUN, example_members, example_site, example_words
from compose.cluster import ClusterSpec
from loadtests.report.markdown_pages import code

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
        # Nothing is started, and what is shown must be the same wherever and whenever the page is made.
        spec = ClusterSpec(RUN, ARCHITECTURES["sticky-memory"], balancer=balancer.name)
        site = example_site(balancer, spec, SHIPPED.http)
        command = shlex.join([balancer.system_names[0], *example_words(balancer, site)])
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
    routing = Routing(example_members(site.spec))
    return {name: content.decode().rstrip() for name, content in balancer.files(site, routing).items()}
