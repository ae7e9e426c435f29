"""The page of balancers: what each can do, what it cannot, and all that it is told to read."""

import shlex
from difflib import unified_diff
from pathlib import Path

from compose.applications import SHIPPED
from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from compose.balancers.contract import Balancer, Member, Routing, Site
from compose.cluster import ClusterSpec
from compose.supervision.ports import Listen
from loadtests.reference.markdown import code, page, table

_HOST = "127.0.0.1"
_CAN = ("drain", "live_membership", "live_affinity", "live_retries", "tells_health", "learns_from_failures")


def balancers() -> str:
    """docs/reference/balancers.md."""
    about = (
        "What stands in front of the nodes: `twinshop run SCENARIO --balancer NAME`. A name alone is a balancer *as "
        "recommended*: its own documentation's advice, with the lab's [settings](settings.md), and no retries unless "
        "these say so. `-as-shipped` sets only addresses and affinity. Below, each as it stands in front of three "
        "nodes of `sticky-memory`. What was set and why: "
        "[fair to each balancer](../explanation/fair-to-each-balancer.md)."
    )
    can = table(
        ("name", "balancer", *(word.replace("_", " ") for word in _CAN), "affinities"),
        (
            (
                code(name),
                f"{balancer.title} {balancer.version}",
                *("yes" if getattr(balancer.can, word) else "no" for word in _CAN),
                ", ".join(sorted(balancer.can.affinities)),
            )
            for name, balancer in BALANCERS.items()
        ),
    )
    return page("Balancers", about, can, *map(_one, BALANCERS.values()))


def _one(balancer: Balancer) -> str:
    # Made-up id, folder and ports: nothing is started, and what is shown must not change from page to page.
    spec = ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"], balancer=balancer.name)
    folder = Path("/run/twinshop")
    listen, admin = Listen(_HOST, 8000), Listen(_HOST, 9000)
    site = Site(spec, SHIPPED.http, listen, admin, folder, folder / balancer.own_log)
    files, plain = _files(balancer, site), _files(_plain(balancer), site)
    # Without what this machine and this start alone have: a page must be the same wherever it is made.
    words = [word for word in balancer.words(site) if "TWINSHOP" not in word]
    shown = [
        f"`{name}`{what}:\n\n```{kind}\n{text}\n```"
        for name in files
        for what, kind, text in [_shown(files[name], plain[name], whole=balancer is _plain(balancer))]
        if text
    ]
    cannot = "\n".join(f"- {sentence}" for sentence in balancer.can.cannot)
    sources = "\n".join(f"- <{source}>" for source in balancer.sources)
    return "\n\n".join(
        [
            f"## {balancer.title}",
            f"`{balancer.name}`, from {balancer.package} ({balancer.how_to_get}); started with "
            f"`{shlex.join([balancer.system_names[0], *words])}`.",
            f"What it cannot do:\n\n{cannot}",
            *([f"By these pages:\n\n{sources}"] if sources and not balancer.variant.as_shipped else []),
            *shown,
        ]
    )


def _plain(balancer: Balancer) -> Balancer:
    """The same program as recommended."""
    # By package, as a variant has another name: it is the one thing that variants of a program share with no other.
    return next(it for it in BALANCERS.values() if not it.variant.name and balancer.package == it.package)


def _files(balancer: Balancer, site: Site) -> dict[str, str]:
    members = tuple(Member(f"n{number}", Listen(_HOST, 8100 + number)) for number in (1, 2, 3))
    return {name: content.decode().rstrip() for name, content in balancer.files(site, Routing(members)).items()}


def _shown(text: str, plain: str, *, whole: bool) -> tuple[str, str, str]:
    """What a file is shown as: itself, or how it differs from the recommended one."""
    if whole:
        return "", "", text
    lines = unified_diff(plain.splitlines(), text.splitlines(), lineterm="", n=1)
    return ", beside the recommended one", "diff", "\n".join(list(lines)[2:])  # the first two name two files
