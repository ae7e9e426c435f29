"""`twinshop up`, `status`, `down`, `recover`: a cluster to play with. What can be done to its parts: `parts`.

What starts clusters is imported only when a command runs, so that help comes at once.
"""

from __future__ import annotations

import secrets
import shlex
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click
import msgspec

from loadtests.commands.options import APP_OPTION, BALANCER_OPTION, JSON_OPTION, WholeNumber, completed
from loadtests.commands.parts import CLUSTER_OPTION
from loadtests.running.console import advise, interrupts_raise, json_text, pasteable, tell
from shared.demo_accounts import account_name
from shared.errors import TwinshopError, UsageError

if TYPE_CHECKING:
    from compose.cluster import ClusterSpec
    from compose.engines.contract import Cluster

LOCUSTFILE = Path(__file__).parents[1] / "locustfile.py"


class Users(msgspec.Struct, frozen=True):
    """The demo accounts: user-0001 … ."""

    count: int
    password: str


class NodeStatus(msgspec.Struct, frozen=True):
    """A node as `status` sees it."""

    name: str
    url: str
    pid: int | None
    process: bool
    answers: bool
    in_rotation: bool
    sessions: int | None
    """Logged-in sessions in its memory; null if it does not answer."""


class ClusterStatus(msgspec.Struct, frozen=True):
    """A cluster as `status` sees it."""

    run: str
    architecture: str
    url: str
    users: Users
    nodes: tuple[NodeStatus, ...]


@click.command()
@click.option(
    "--architecture", "name", metavar="NAME", shell_complete=completed,
    help="See `twinshop list`; of your own application, a variant.",
)  # fmt: skip
@APP_OPTION
@click.option("--nodes", type=WholeNumber(1, 50), default=3, show_default=True, help="How many nodes.")
# Below 1024, only root may listen.
@click.option("--port", type=WholeNumber(1024, 65535), help="Where the shop is to listen.  [default: a free port]")
@click.option(
    "--engine", "engine_name", default="processes", show_default=True, help="What runs it: processes or docker."
)
@BALANCER_OPTION
@JSON_OPTION
def up(
    name: str | None, app: Path | None, nodes: int, port: int | None, engine_name: str, balancer: str, as_json: bool
) -> None:  # fmt: skip
    """\b
    Examples:
      twinshop up --architecture sticky-memory
      twinshop up --architecture redis --nodes 2 --port 8080
      twinshop up --architecture redis --engine docker
      twinshop up --architecture sticky-memory --balancer haproxy
      twinshop up --app shop.toml                     your own application, in its first variant

    Start a cluster and leave it running: open its URL, log in, then `twinshop kill n1`.
    """
    from compose.balancers import check_balancer, choose_balancer
    from compose.engines.registry import engine_named
    from compose.running import keep_cluster, new_run_id
    from compose.supervision.ledger import recover, state_folder

    spec = _asked_for(name, app, engine_name, balancer)
    engine = engine_named(engine_name)
    choice = choose_balancer(balancer, engine=engine.name)
    check_balancer(spec.architecture, choice.name, engine=engine.name)
    state = state_folder()
    # First what a killed run left behind: it may sit on the port that was asked for.
    for line in (*recover(state).lines(), choice.remark):
        if line:
            click.echo(line, err=True)
    spec = msgspec.structs.replace(spec, run=new_run_id(), nodes=nodes, port=port, balancer=choice.name)
    with interrupts_raise():
        keep_cluster(state, engine, spec, lambda cluster: _announce(cluster, as_json))


def _asked_for(name: str | None, app: Path | None, engine: str, balancer: str) -> ClusterSpec:
    """The cluster as far as it is about what runs there: one of the twins, or somebody's own application."""
    from compose.architectures import architecture_named
    from compose.cluster import ClusterSpec, Limits
    from loadtests.running.application import ApplicationUnderTest, accounts_of

    if app is None and name is None:
        raise UsageError(
            "nobody said what to start", why="there are several architectures",
            next_step="twinshop up --architecture sticky-memory",
        )  # fmt: skip
    if app is None:
        return ClusterSpec("", architecture_named(name or ""), password=secrets.token_urlsafe(9))
    under_test = ApplicationUnderTest.load(app, beyond=True)
    description = under_test.description
    if description.running is not None:
        raise UsageError(
            f"{description.name} runs already", why=f"it is at {description.running.url}",
            next_step=f"twinshop app check {shlex.quote(str(app))}",
        )  # fmt: skip
    under_test.check_way(engine, balancer)
    (chosen, *_) = under_test.chosen((name,) if name else ())
    limits = under_test.patient(Limits())
    spec = ClusterSpec("", under_test.architectures()[chosen], password="", application=description, limits=limits)
    accounts = len(description.accounts.list) or spec.accounts
    accounts_of(description, accounts)  # where a command makes them, it has to be run
    return msgspec.structs.replace(spec, accounts=accounts)


def _announce(cluster: Cluster, as_json: bool) -> None:
    """By `click.echo`, which raises if nobody reads: a cluster whose address nobody has heard is not kept."""
    from compose.balancers import balancer_named

    spec = cluster.spec
    nodes, users = cluster.nodes(), Users(spec.accounts, spec.password)
    if as_json:
        document = {
            "url": cluster.url, "architecture": spec.architecture.name, "run": spec.run, "users": users, "nodes": nodes,
            "balancer": {"admin_url": cluster.admin_url, "name": spec.balancer},
        }  # fmt: skip
        click.echo(json_text(document))
        return
    click.echo(f"The shop is open: {cluster.url}")
    click.echo(f"  architecture  {spec.architecture.name}: {spec.architecture.summary}")
    described = spec.application is not None  # whose passwords are its owner's, and stay in the file
    who = f"{account_name(1)} … {account_name(users.count)}, password {users.password}"
    click.echo(f"  log in as     {'the description has the accounts' if described else who}")
    for node in nodes:
        click.echo(f"  {node.name:<12}  {node.url}" + (f"  (pid {node.pid})" if node.pid else ""))
    click.echo(f"  balancer      {cluster.admin_url}  ({balancer_named(spec.balancer).title}'s admin pages)")
    locust = "locust" if which("locust") else f"{shlex.quote(sys.executable)} -m locust"
    crowd = f"TWINSHOP_PASSWORD={users.password} {locust} -f {shlex.quote(str(LOCUSTFILE))} --host {cluster.url}"
    if not described:
        click.echo(f"  a crowd       {crowd}")
    click.echo(f"  run           {spec.run}, logs in {cluster.folder}")
    then = "look around" if described else "fill the cart"
    click.echo(pasteable(f"Next: log in, {then}, then `twinshop kill n1`; `twinshop down` ends it."))


@click.command()
@JSON_OPTION
def status(as_json: bool) -> None:
    """What is running, node by node."""
    from compose.running import attach, kept_runs
    from compose.supervision.ledger import state_folder

    state = state_folder()
    clusters, damaged = [], []
    for run in kept_runs(state):
        try:
            clusters.append(_status_of(attach(state, run)))
        except UsageError:  # one that cannot be read must not hide the others
            damaged.append(run)
    if as_json:
        tell(json_text({"clusters": clusters, "damaged": damaged}))
    else:
        _print_status(clusters, damaged)


def _status_of(cluster: Cluster) -> ClusterStatus:
    spec = cluster.spec
    nodes = []
    for node in cluster.nodes():
        seen = cluster.observe(node.name)
        held = cluster.held(node.name)
        count = None if held is None else len(held)
        nodes.append(NodeStatus(node.name, node.url, node.pid, seen.process, seen.answers, seen.in_rotation, count))
    users = Users(spec.accounts, spec.password)
    return ClusterStatus(spec.run, spec.architecture.name, cluster.url, users, tuple(nodes))


def _print_status(clusters: list[ClusterStatus], damaged: list[str]) -> None:
    if not clusters and not damaged:
        advise("No cluster is running. `twinshop up --architecture sticky-memory` starts one.")
    for cluster in clusters:
        password = f"  password {cluster.users.password}" if cluster.users.password else ""
        tell(f"{cluster.run}  {cluster.architecture}  {cluster.url}{password}")
        for node in cluster.nodes:
            held = "?" if node.sessions is None else node.sessions
            tell(
                f"  {node.name:<4} process {_yes(node.process)}  answers {_yes(node.answers)}"
                f"  in rotation {_yes(node.in_rotation)}  sessions in memory {held}"
            )
    for run in damaged:
        advise(f"{run}  cannot be read any more: `twinshop down --cluster {run}` removes it")


def _yes(fact: bool) -> str:
    return "yes" if fact else "no "


@click.command()
@CLUSTER_OPTION
@click.option("--all", "everything", is_flag=True, help="Every cluster that runs.")
def down(run: str | None, everything: bool) -> None:
    """Stop the running cluster and remove what it made. If several run, name one, or all."""
    from compose.running import choose_run, end_cluster, kept_runs
    from compose.supervision.ledger import state_folder

    if everything and run is not None:
        raise click.UsageError("--all and --cluster exclude each other")
    state = state_folder()
    there = kept_runs(state)
    # Nothing to stop is what was wanted, and no error; unless a name was given, which must be one.
    runs = there if everything or (run is None and not there) else [choose_run(state, run)]
    for one in runs:
        end_cluster(state, one)
        tell(f"{one} is stopped; nothing of it is left.")
    if not runs:
        tell("No cluster was running.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Clusters that `twinshop up` left running on purpose, too.")
def recover(everything: bool) -> None:
    """Clear away what a run that died has left behind. Touches nothing that Twinshop did not start."""
    from compose.supervision.ledger import recover as clear_away
    from compose.supervision.ledger import state_folder

    done = clear_away(state_folder(), everything=everything)
    for line in done.lines() or ["There was nothing to clear away."]:
        tell(line)
    if done.left:
        raise TwinshopError("not everything would go", why=", ".join(done.left), next_step="twinshop recover")
