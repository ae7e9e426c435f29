"""An application that somebody described, as a run needs it: its architectures, its accounts, and who answered what.

Its nodes do not name themselves. The balancer knows whom it asked: once the cluster is stopped and its log complete,
the names are written into the history, request by request, so that whoever reads it finds them where they always are.
"""

from __future__ import annotations

import hashlib
import ipaddress
import shlex
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.applications import application_of
from compose.applications.contract import LACKS
from compose.applications.described import DescribedApplication, end_group, filled_places
from compose.applications.description_file import load_description
from compose.architectures import Architecture, one_of
from compose.balancers import balancer_named
from compose.balancers.access_log import AccessLine, read_access_batches
from compose.balancers.contract import Balancer
from compose.cluster import Limits
from compose.description import Description, architectures_of
from compose.engines.contract import Cluster, Engine
from compose.engines.running import RunningEngine
from loadtests.behaviours.described import Described
from loadtests.faults import FAULTS
from loadtests.load.application_client import AskedApplication
from loadtests.model.application import ApplicationFacts, asked_of, facts_of
from loadtests.model.history import Exchange, encode_records, read_history_batches
from loadtests.model.plan import Plan
from loadtests.model.scenario import Scenario
from loadtests.running.fault_run import CLUSTER
from shared.errors import EnvironmentNotReady, UsageError
from shared.ndjson import FilePart
from shared.plurals import counted
from shared.whole_file import write_whole

ACCOUNTS_WITHIN_S = 60.0
APPLICATION_FILE = "application.json"


class ApplicationUnderTest(msgspec.Struct, frozen=True):
    """A description, and the file that it stands in."""

    file: Path
    description: Description
    sha256: str

    @classmethod
    def load(cls, file: Path, *, beyond: bool = False) -> ApplicationUnderTest:
        """From its file. `beyond`: somebody said that requests may leave this machine.

        Raises:
            DescriptionError: it cannot be read or makes no sense.
            UsageError: it runs beyond this machine, and nobody said that this is meant.
        """
        description = load_description(file)
        running = description.running
        if running is not None and not beyond and not _is_here(running.url):
            raise UsageError(
                f"{running.url} is not on this machine", why="nobody said that requests may be sent there",
                next_step="is it yours, and may it be broken? then add --beyond-this-machine",
            )  # fmt: skip
        return cls(file, description, hashlib.sha256(file.read_bytes()).hexdigest())

    @property
    def engine(self) -> Engine | None:
        """What runs it, if nothing of ours does."""
        return RunningEngine() if self.description.running is not None else None

    @property
    def runs_on(self) -> str:
        """The engine that starts its nodes, by name."""
        return "docker" if self.description.service is not None else "processes"

    @property
    def facts(self) -> ApplicationFacts:
        """What the run's files say of it."""
        return facts_of(self.description, self.sha256, "C" if self.description.running else "B")

    def patient(self, limits: Limits) -> Limits:
        """The limits with as much time for a node to start as the description gives it."""
        if self.description.running is not None:
            return limits
        ready_s = max(limits.node_ready_s, self.description.nodes.ready_within_s)
        cluster_s = max(limits.cluster_ready_s, 2 * ready_s)  # then the balancer has to find them healthy
        return msgspec.structs.replace(limits, node_ready_s=ready_s, cluster_ready_s=cluster_s)

    @property
    def behaviour(self) -> Described:
        """What its shoppers do."""
        return Described(asked_of(self.description))

    def architectures(self) -> dict[str, Architecture]:
        """One for each of its variants."""
        return architectures_of(self.description)

    def said(self) -> list[str]:
        """For the plan: whose application it is, what its shoppers would send, and as what."""
        it = self.description
        calls = {"login": it.login, "me": it.who, "remember": it.remember, "recall": it.recall, "logout": it.logout}
        page = {do: f"GET {call.page}, then " if call and call.page else "" for do, call in calls.items()}
        sent = [f"  {do:<9} {page[do]}{call.send}" for do, call in calls.items() if call]
        where = f"sent to {it.running.url}, which runs already" if it.running else "in the place of the twins"
        whose = f"on {it.name} ({self.file}), {where}:"
        return [whose, *sent, f"variants: {', '.join(self.architectures())}"]

    def chosen(self, names: tuple[str, ...], *, or_all: bool = True) -> tuple[str, ...]:
        """Those of these names (a variant's own will do); of no names all, or none.

        Raises:
            UsageError: there is none of a name.
        """
        known = self.architectures()
        # People know a variant by its own name; in results it stands beside those of other applications, and is longer.
        short = {name.removeprefix(f"{self.description.name}-"): name for name in known}
        for name in names:
            one_of({**short, **known}, name, "variant", next_step=f"twinshop app check {shlex.quote(str(self.file))}")
        return tuple(short.get(name, name) for name in names) or (tuple(known) if or_all else ())

    def check_scenario(self, scenario: Scenario) -> None:
        """Make sure that the scenario can be carried out on it.

        Raises:
            UsageError: it needs what this application does not have.
        """
        if why := self.cannot(scenario):
            raise UsageError(
                f"the scenario {scenario.name} cannot be carried out on {self.description.name}", why=why,
                next_step=f"twinshop run node-kill --app {shlex.quote(str(self.file))}",
            )  # fmt: skip

    def cannot(self, scenario: Scenario) -> str:
        """Why a scenario cannot be carried out on it; "": it can."""
        can = DescribedApplication(self.description).can
        lacks = {fault.kind: can.lacks(FAULTS[fault.kind].asks_of_application) for fault in scenario.fault}
        why = next((f"for its fault {kind}: {why}" for kind, why in lacks.items() if why), "")
        ours = [fault.kind for fault in scenario.fault if fault.kind not in self.description.fault]
        if self.description.running is not None and ours:
            return f"it runs already, and no command says how to carry out a {ours[0]}: describe [fault.{ours[0]}]"
        if why and self.description.running is None:  # what runs already has commands in place of what it cannot
            return why
        if scenario.load.behaviour != "shop":
            return f"it is about what its shoppers do ({scenario.load.behaviour}), which no description says how to ask"
        if scenario.settings:
            return f"it sets {', '.join(scenario.settings)}: {LACKS['takes_settings']}"
        return ""

    def check_way(self, engine: str, balancer: str) -> None:
        """Make sure that it can be run by that engine, behind that balancer ("": the default).

        Raises:
            UsageError: it cannot.
        """
        name, running = self.description.name, self.description.running is not None
        how = "a service of a compose file" if self.description.service else "a command"
        what = why = instead = ""
        if running and (balancer or engine != "processes"):
            what, why, instead = "run with --engine or --balancer", "it runs already", "omit them"
        elif engine != self.runs_on and not running:
            what, why = f"run with --engine {engine}", f"it is described by {how}"
            instead = f"--engine {self.runs_on}"
        elif balancer and not balancer_named(balancer).can.tells_health:
            # Whom it sends people to would have to be seen from answers that name their node.
            what = f"put behind {balancer}"
            why = "it does not say which nodes it calls healthy, nor do answers name theirs"
            instead = "choose another balancer, or none: --balancer haproxy"
        if what:
            raise UsageError(f"{name} cannot be {what}", why=why, next_step=instead)

    def planned(self, plan: Plan) -> Plan:
        """The plan as it can be carried out there: what runs without us has no nodes that we know.

        Raises:
            UsageError: it would send more than may be sent.
        """
        running = self.description.running
        if running is None:
            return plan
        rate = _requests_per_second(self.description, plan)
        if rate > running.most_per_second:
            fewer = max(1, int(len(plan.shoppers) * running.most_per_second / rate))
            raise UsageError(
                f"the plan would send about {rate:.0f} requests a second to {running.url}",
                why=f"running.most_per_second is {running.most_per_second:g}",
                next_step=f"ask for fewer people: --shoppers {fewer}",
            )
        # Whom the owner's commands strike, only the owner knows.
        faults = tuple(msgspec.structs.replace(fault, victim=CLUSTER) for fault in plan.faults)
        return msgspec.structs.replace(plan, faults=faults)


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _requests_per_second(description: Description, plan: Plan) -> float:
    """By the plan, with the pages on the way; what redirects add is not known, and is reckoned as one each."""
    each = {do: 1 + bool(call.page) + (call.method != "GET") for do, call in description.interface().calls.items()}
    sent = sum(each.get(action.do, 1) for shopper in plan.shoppers for action in shopper.actions)
    return sent * 1000 / plan.window_ms


def accounts_of(description: Description, count: int, *, checked: bool = False) -> tuple[tuple[str, str], ...]:
    """Names and passwords of that many accounts; `checked`: for `app check`, which has no number of shoppers.

    Raises:
        UsageError: the list has too few.
        EnvironmentNotReady: the command failed, took too long, or printed too few.
    """
    accounts = description.accounts
    if accounts.pattern:
        return tuple((accounts.pattern.format(number=number), accounts.password) for number in range(1, count + 1))
    found = accounts.list or _printed(description, count)
    if len(found) < count:
        fewer = f"add --shoppers {len(found)}" if found else "describe more accounts"
        source = "`[accounts] list`" if accounts.list else "what the command of [accounts] prints"
        raise UsageError(
            f"{description.name} has {counted(len(found), 'account')} for {counted(count, 'shopper')}",
            why="each shopper needs an account of its own",
            next_step=f"it takes two accounts: add one to {source}" if checked else fewer,
        )
    return found[:count]


def _printed(description: Description, count: int) -> tuple[tuple[str, str], ...]:
    """What the command prints is secret: it is in no message."""
    command = filled_places(description.accounts.command, {"count": str(count)})
    try:
        process = subprocess.Popen(
            command, cwd=description.folder or None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            # What it complains of may hold a password as well as what it prints.
            stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
        with process:
            try:
                printed, _ = process.communicate(timeout=ACCOUNTS_WITHIN_S)
            finally:
                end_group(process)  # whatever it has started goes with it, and holds the pipe no longer
    except subprocess.TimeoutExpired:
        raise _no_accounts(description, f"it took longer than {ACCOUNTS_WITHIN_S:.0f} s") from None
    except OSError as error:
        raise _no_accounts(description, error.strerror or str(error)) from None
    if process.returncode:
        raise _no_accounts(description, f"it ended with exit code {process.returncode}")
    # Split once, from the left: a password may have blanks.
    lines = [line.split(None, 1) for line in printed.splitlines() if line.strip()]
    if any(len(line) != 2 for line in lines):
        raise _no_accounts(description, "a line that it printed is not a name and a password")
    return tuple((name, password) for name, password in lines)


def _no_accounts(description: Description, why: str) -> EnvironmentNotReady:
    return EnvironmentNotReady(
        f"the command that makes the accounts of {description.name} failed",
        why=f"accounts.command, {description.accounts.command[0]}: {why}",
        next_step="run it by hand; it prints a name and a password in each line",
    )


def write_for_load(cluster: Cluster, count: int) -> Path:
    """Write what the load processes need to know, for nobody else's eyes; it goes with the cluster's `work/`.

    The passwords of accounts that are somebody's are the cluster's secrets from now on.

    Raises:
        As `accounts_of`.
    """
    path = cluster.folder / "work" / APPLICATION_FILE
    app, description = application_of(cluster.spec), cluster.spec.application
    accounts = () if description is None else accounts_of(description, count)
    # From here on: a node that cannot start shows the end of its log, and they may stand in there.
    cluster.confidential += tuple(password for _, password in accounts)
    # By a file: the arguments of a process can be read by everybody on the machine.
    write_whole(path, msgspec.json.encode(AskedApplication(app.interface, app.http, accounts)), mode=0o600)
    return path


def name_nodes(history: Path, begin: int, access: Path, balancer: Balancer) -> None:
    """Write into the history from that byte on, and into the log itself, which node answered each request."""
    nodes = name_in_log(access, balancer)
    # Parts of other architectures are not decoded: what stands there stays the same to the byte.
    before = history.read_bytes()[:begin]
    named = [
        msgspec.structs.replace(each, node=nodes.get(each.request, "")) if isinstance(each, Exchange) else each
        for records in read_history_batches(history, FilePart(begin, history.stat().st_size))
        for each in records
    ]
    write_whole(history, before + encode_records(named))


def name_in_log(access: Path, balancer: Balancer) -> dict[str, str]:
    """Which node answered, by request. An answer that the balancer made itself is nobody's, whomever it had picked."""
    lines = [_named(line, balancer) for lines in read_access_batches(access) for line in lines]
    if lines:
        write_whole(access, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return {line.id: line.answered_by for line in lines if line.id and line.answered_by}


def _named(line: AccessLine, balancer: Balancer) -> AccessLine:
    if not balancer.came_from_node(line):
        return msgspec.structs.replace(line, answered_by=None)
    # Logs without words of their own take an error that nobody signed for the balancer's; it was the node's.
    return msgspec.structs.replace(line, answered_by=line.node, flags=line.flags if line.details else "")
