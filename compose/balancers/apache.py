"""Apache httpd: a parent and its children, which read one file, and are told by SIGUSR1 to read it anew (graceful).

Debian's package is the only one there is: its modules are loaded from where it puts them. What it has learnt of its
members lies in memory that a graceful restart keeps.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import msgspec

from compose.balancers.access_log import AccessLine, FormattedLine, known, made_here
from compose.balancers.contract import AS_SHIPPED, Balancer, BalancerCapabilities, MemberHealth, Site
from compose.cluster import Balancing
from compose.probes import PROBE_S, HttpAnswer, Unanswered, ask

MODULE_FOLDERS = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2")
_GENERATION = re.compile(r"^ParentServerConfigGeneration: (\d+)", re.MULTILINE)
_NAMESPACE = "{http://httpd.apache.org}"
_OUT = ("Err", "Dis", "Stop", "HcFl", "Spar", "Stby", "Ign", "Drn")  # its words for: no newcomers are sent there


class Apache(Balancer):
    """Apache httpd 2.4, from the system."""

    name, title, version, package = "apache", "Apache httpd", "2.4.71", "apache2-bin"
    system_names, version_words = ("apache2", "httpd"), ("-v",)
    config_file = "httpd.conf"
    own_log = "access.apache.log"
    reload_signal = "SIGUSR1"  # graceful; at SIGHUP it would cut its children's requests off
    start_page = "/server-status"
    sources = (
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy_balancer.html#example",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy_hcheck.html",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass",
        "https://httpd.apache.org/docs/2.4/stopping.html#graceful",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie"}),
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
        tells_health=True,
        cannot=(
            "A change of members starts new children: idle connections of shoppers are closed.",
            "It sends a request to another node only where the first could not be reached; what a node has answered, "
            "with whatever status, is the answer.",
            "No hash, and no affinity by address.",
        ),
    )

    @property
    def how_to_get(self) -> str:
        """The one command that brings its program."""
        return "sudo apt-get install apache2-bin"

    def words(self, site: Site) -> list[str]:
        """With a name for this start of it, which it says at its admin address."""
        modules = next((one for one in MODULE_FOLDERS if Path(one).is_dir()), MODULE_FOLDERS[0])
        # Not in its file, which is the same bytes for the same arguments.
        defined = (f"Define TWINSHOP_START {secrets.token_hex(6)}", f"Define TWINSHOP_MODULES {modules}")
        words = ["-f", str(site.folder / self.config_file), "-DFOREGROUND", *(f"-C{one}" for one in defined)]
        return [*words, "-DTWINSHOP_ROOT"] if os.geteuid() == 0 else words

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By the name of this start, and by how often it has read its file since."""
        answer = ask(f"{admin_url}/server-status?auto", within_s=PROBE_S)
        read = _GENERATION.search(answer.body.decode(errors="replace"))
        boot = f"{answer.headers.get('x-start')}, read {read[1]} times" if read else None
        return boot, f"start {boot}"

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        """By the status words of its balancer-manager ("Init Ok", "Init HcFl", "Init Drn Ok")."""
        return {urlsplit(name).netloc: _health(status) for name, status in _workers(_manager(admin_url).body)}

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the mark in the file that its children follow."""
        affinity, _, retries = _manager(admin_url).headers.get("x-routing", "").partition(" ")
        return Balancing(affinity == "True", int(retries)) if retries else None

    def made(self, header: Callable[[str], str]) -> bool:
        """A node's answers have the run's id; what it refused before it chose a host has its name only."""
        return header("Server").startswith("Apache")

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        """A line of its log; what it escapes for terminals is no JSON."""
        said = _decoder.decode(line.replace(rb"\x", rb"\\x"))
        answered_by = known(said.answered_by)
        node = known(said.node)
        flags = made_here(said.status, node, answered_by)
        return AccessLine(
            int(said.at), said.status, said.took, known(said.id), said.method, said.path, flags, node, answered_by
        )


class _Logged(FormattedLine):
    at: str
    took: int
    node: str


_decoder = msgspec.json.Decoder(_Logged)


def _manager(admin_url: str) -> HttpAnswer:
    # It heeds no question, not even for another format, that does not seem to come from its own page.
    page = f"{admin_url}/balancer-manager"
    return ask(f"{page}?xml=1", headers={"Referer": page}, within_s=PROBE_S)


def _workers(body: bytes) -> list[tuple[str, str]]:
    try:
        document = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Unanswered(f"balancer-manager: {error}") from error
    workers = document.iter(f"{_NAMESPACE}worker")
    return [
        (worker.findtext(f"{_NAMESPACE}name", ""), worker.findtext(f"{_NAMESPACE}status", "").strip())
        for worker in workers
    ]


def _health(status: str) -> MemberHealth:
    out = tuple("draining" if word == "Drn" else word for word in status.split() if word in _OUT)
    return MemberHealth(out, status)


BALANCER = Apache()
VARIANTS = (Apache(AS_SHIPPED),)
