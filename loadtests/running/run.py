"""A run, as a table of contents: plan, measure each architecture, judge, report."""

import errno
import secrets
import shlex
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import msgspec

from compose.architectures import Architecture, architecture_named
from compose.balancers import check_balancer, choose_balancer
from compose.cluster import DEFAULT_BALANCER, Limits
from compose.engines.contract import Engine
from compose.supervision.ledger import Ledger, hold_machine, recover, state_folder
from loadtests.faults import FAULTS
from loadtests.judging.judge import judge, judge_together
from loadtests.model.plan import Control, Plan, encode_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder, encode_document, make_folder
from loadtests.model.scenario import Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import read_scenario, scenario_content
from loadtests.report import ExtraSection, render_report
from loadtests.report.evidence import unheard
from loadtests.running.application import ApplicationUnderTest, accounts_of
from loadtests.running.fault_run import FaultBounds
from loadtests.running.measure import Measurement, Setup
from loadtests.running.progress import RunWatcher
from loadtests.running.provenance import now_utc, provenance_of
from loadtests.running.stand_ins import PLACEBO_BOUNDS
from shared.errors import Interrupted
from shared.whole_file import write_whole


class RunRequest(msgspec.Struct, frozen=True):
    """What somebody asked for."""

    scenario: str
    """A name or a path."""
    architectures: tuple[str, ...] = ()
    """None: those of the scenario."""
    seed: int = 1
    shoppers: int | None = None
    """None: as many as the scenario says."""
    workers: int = 1
    runs: Path = Path("runs")
    control: Control = ""
    application: ApplicationUnderTest | None = None
    """What is under test, if it is none of the twins; its variants are the architectures then."""
    balancer: str = ""
    """Empty: the scenario's, or the default."""
    report: bool = True
    """Make the page for people at once."""


class Finished(msgspec.Struct, frozen=True):
    """A run that was judged."""

    folder: RunFolder
    results: Results
    interrupted: Interrupted | None = None


def run(request: RunRequest, engine: Engine, watcher: RunWatcher, *, held: bool = False) -> Finished:
    """Carry out a scenario and judge it. `held`: whoever asks holds the machine already.

    Raises:
        TwinshopError: nothing could be measured; what was started is gone.
    """
    path, content = scenario_content(request.scenario)
    scenario = read_scenario(content, file=str(path), name=path.stem)
    app = request.application
    if app is not None:
        app.check_scenario(scenario)
    plan = planned_for(request, scenario, request.seed, request.control)
    if app is not None:
        accounts_of(app.description, len(plan.shoppers))  # too few of them are told before anything is started
    names = app.chosen(request.architectures) if app else request.architectures or scenario.architectures
    balancer = balancer_of(request, scenario, names, engine, watcher.say)
    state = state_folder()
    with nullcontext() if held else hold_machine(state):
        # What a killed run left behind would share the processors with this one, and be in all its figures.
        for line in recover(state).lines():
            watcher.say(line)
        folder, provenance = _make_folder(request, scenario, content, plan, names, engine, balancer)
        watcher.say(f"plan {provenance.plan_sha256}  seed {plan.seed}  {folder.root}")
        limits = limits_of(scenario, request.control)
        limits = app.patient(limits) if app else limits
        interrupted = _measure_all(request, plan, names, engine, watcher, folder, provenance, limits)
    results = _judge_and_report(folder, watcher, whole=interrupted is None, report=request.report)
    return Finished(folder, results, interrupted)


def planned_for(request: RunRequest, scenario: Scenario, seed: int, control: Control) -> Plan:
    """The plan of a run that somebody asked for.

    Raises:
        UsageError: it would send more to an application that runs already than may be sent.
    """
    app = request.application
    behaviour = app.behaviour if app else None
    plan = make_plan(scenario, seed=seed, shoppers=request.shoppers, control=control, behaviour=behaviour)
    return app.planned(plan) if app else plan


def balancer_of(
    request: RunRequest, scenario: Scenario, names: tuple[str, ...], engine: Engine, say: Callable[[str], None]
) -> str:  # fmt: skip
    """As `balancer_for`; "": nothing of ours is in front of an application that runs already."""
    app = request.application
    if app is not None and app.engine is not None:
        return ""
    known = app.architectures() if app else {name: architecture_named(name) for name in names}
    return balancer_for(request.balancer, scenario, [known[name] for name in names], engine.name, say)


def balancer_for(
    asked: str, scenario: Scenario, routed: Iterable[Architecture], engine: str, say: Callable[[str], None]
) -> str:
    """The balancer of a run: the one that is asked for, the scenario's, or the default; `say` hears of a substitute.

    Raises:
        UsageError: there is none of that name, or it cannot do what the scenario or an architecture asks of it.
        EnvironmentNotReady: its program is not there.
    """
    choice = choose_balancer(asked or scenario.balancer, engine=engine)
    if choice.remark:
        say(choice.remark)
    wanted = asked_of_balancer(scenario)
    for architecture in routed:
        check_balancer(architecture, choice.name, engine=engine, wanted=wanted)
    return choice.name


def asked_of_balancer(scenario: Scenario) -> set[str]:
    """What its faults need of the balancer, as fields of a balancer's `can`."""
    asked: set[str] = {FAULTS[fault.kind].asks_of_balancer for fault in scenario.fault}
    return asked - {""}


def limits_of(scenario: Scenario, control: Control = "") -> Limits:
    """The limits by the scenario's settings, and with what its faults (not a control's) need from the start."""
    # Before the faults' own: where a scenario sets what a fault would choose, the fault leaves it alone.
    limits = scenario.limits()
    for fault in () if control else scenario.fault:
        limits = FAULTS[fault.kind].prepare(limits)
    return limits


def _measure_all(
    request: RunRequest, plan: Plan, names: tuple[str, ...], engine: Engine, watcher: RunWatcher, folder: RunFolder,
    provenance: Provenance, limits: Limits,
) -> Interrupted | None:  # fmt: skip
    bounds = PLACEBO_BOUNDS if plan.control == "placebo" else FaultBounds()
    if request.application is not None:  # whose nodes may take longer to start than the twins'
        healed_s = max(bounds.healed_s, limits.node_ready_s)
        bounds = msgspec.structs.replace(bounds, healed_s=healed_s)
    known = request.application.architectures() if request.application else {}
    try:
        with Ledger.open(state_folder(), provenance.run) as ledger:
            setup = Setup(
                provenance.run, folder, plan, engine, ledger, watcher, request.workers, secrets.token_urlsafe(9),
                limits, bounds, request.application, provenance.balancer or DEFAULT_BALANCER,
            )  # fmt: skip
            for number, name in enumerate(names):
                Measurement(setup, known[name] if known else architecture_named(name), number).measure()
    except Interrupted as interrupted:
        watcher.say(f"{interrupted.what}: everything is stopped; judging what there is")
        return interrupted
    return None


def _judge_and_report(folder: RunFolder, watcher: RunWatcher, *, whole: bool, report: bool) -> Results:
    try:
        results = write_results(folder)
        if report:
            write_report(folder, results)
    except Interrupted as interrupted:
        # All was measured: what is left can be done again at any time, and the message says how.
        interrupted.why = "the run was carried out, but not judged and reported to the end"
        interrupted.next_step = f"twinshop report {shlex.quote(str(folder.root))}"
        raise
    try:
        if whole:  # `runs/latest` is the newest run that came to its end
            point_latest(folder.root)
    except OSError as error:
        watcher.say(f"{folder.root.parent / 'latest'} does not point to this run: {error.strerror or error}")
    return results


def write_results(folder: RunFolder) -> Results:
    """Judge a run folder and write its `results.json`."""
    results = judge(folder.root)
    write_whole(folder.results, encode_document(results))
    return results


MakeSection = Callable[[Path, Results], ExtraSection | None]
"""Of a run's folder: what a room above brings to its report; None if nothing."""


def write_both(folder: RunFolder, section: MakeSection) -> None:
    """Judge a run folder and write its `results.json` and its `report.html`, reading its history only once."""
    evidence = unheard(folder.root)
    results, stories = judge_together(folder.root, evidence.stories)
    write_whole(folder.results, encode_document(results))
    evidence.stories.update(stories)
    evidence.close()
    write_whole(folder.report, render_report(folder.root, results, evidence, section(folder.root, results)))


def write_report(folder: RunFolder, results: Results, extra: ExtraSection | None = None) -> None:
    """Write a run folder's `report.html`."""
    write_whole(folder.report, render_report(folder.root, results, extra=extra))


def _make_folder(
    request: RunRequest, scenario: Scenario, content: bytes, plan: Plan, names: tuple[str, ...], engine: Engine,
    balancer: str,
) -> tuple[RunFolder, Provenance]:  # fmt: skip
    started = now_utc()
    folder = RunFolder(make_folder(request.runs / f"{started:%Y%m%d-%H%M%S}-{scenario.name}-{plan.seed}"))
    provenance = provenance_of(
        secrets.token_hex(4), plan, content, engine=engine.name, architectures=names, workers=request.workers,
        command=_command(request, scenario, names, engine), started=started, balancer=balancer,
    )  # fmt: skip
    write_run(folder, provenance, plan, content)
    # There from the first moment: a run that is cut short has them empty, and one that lacks them is damaged.
    folder.history.touch()
    folder.events.touch()
    return folder, provenance


def write_run(folder: RunFolder, provenance: Provenance, plan: Plan, scenario: bytes) -> None:
    """Write what a run is about: its provenance, its plan and its scenario."""
    write_whole(folder.scenario, scenario)
    write_whole(folder.plan, encode_plan(plan))
    write_whole(folder.provenance, encode_document(provenance))


def _command(request: RunRequest, scenario: Scenario, names: tuple[str, ...], engine: Engine) -> tuple[str, ...]:
    named = names != scenario.architectures and (request.architectures or not request.application)
    return command_of(request, names if named else (), engine.name)


def command_of(request: RunRequest, names: tuple[str, ...], engine: str, repeats: int = 0) -> tuple[str, ...]:
    """The command that does it again, on these architectures; none: on those that it would choose anyway."""
    words = ["twinshop", "run", request.scenario]
    if repeats:
        words += ["--repeat", str(repeats)]
    words += ["--seed", str(request.seed), "--engine", engine]
    for name in names:
        words += ["--architecture", name]
    if request.shoppers is not None:
        words += ["--shoppers", str(request.shoppers)]
    if request.workers != 1:
        words += ["--workers", str(request.workers)]
    if request.balancer:
        words += ["--balancer", request.balancer]
    if request.control:
        words += ["--control", request.control]
    if request.application:
        words += ["--app", str(request.application.file)]
    return tuple(words)


def point_latest(root: Path) -> None:
    """`runs/latest` points to the newest run or repeats, in `root`; a link, replaced in one step.

    Raises:
        OSError: something else has that name, or there are no links here. The run is as good without.
    """
    link = root.parent / "latest"
    if link.exists() and not link.is_symlink():
        raise FileExistsError(errno.EEXIST, "something that is no link has that name")
    part = root.parent / ".latest.part"  # a link cannot be replaced by making another: it is made, and renamed
    part.unlink(missing_ok=True)
    part.symlink_to(root.name)
    part.replace(link)
