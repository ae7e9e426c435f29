"""Clusters that were started to be kept: `twinshop up` starts one, later commands find it again."""

import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from compose.cluster import ClusterSpec
from compose.engines.cluster_file import read_cluster_file
from compose.engines.contract import Cluster, Engine
from compose.engines.registry import engine_named
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Kept, ledgers, read_page
from compose.supervision.recovery import Recovered, clear, own_since_ns
from shared.errors import NotReadyInTime, TwinshopError, UsageError


def new_run_id() -> str:
    """8 hex digits that no other run has."""
    return secrets.token_hex(4)


def folder_of(state: Path, run: str) -> Path:
    """Where a kept cluster lives."""
    return state / "clusters" / run


def keep_cluster(state: Path, engine: Engine, spec: ClusterSpec, announce: Callable[[Cluster], None]) -> None:
    """Start a cluster that survives this process; `announce` is called just before it is kept.

    If anything fails before that, the announcement included, nothing is left but the log of what failed.

    Raises:
        As `Engine.start` does.
    """
    ledger = Ledger.open(state, spec.run)
    folder = folder_of(state, spec.run)
    try:
        ledger.make_folder(folder)
        announce(engine.start(spec, folder, ledger))
        ledger.add(Kept())
    except BaseException as error:
        if isinstance(error, NotReadyInTime) and error.log is not None:
            # Closing takes the cluster's folder, and with it the log that the message names.
            error.log = Path(shutil.copy(error.log, state / f"failed-{error.log.name}"))
        ledger.close()
        raise


def kept_runs(state: Path) -> list[str]:
    """The ids of the clusters that are kept, oldest first."""
    runs = [page.run for page in map(read_page, ledgers(state)) if page.kept]
    return sorted(runs, key=lambda run: _started_ns(state, run))


def choose_run(state: Path, run: str | None) -> str:
    """That run, or the only one if none is named.

    Raises:
        UsageError: there is no such cluster, none at all, or several to choose from.
    """
    there = kept_runs(state)
    if not there:
        raise UsageError("no cluster is running", next_step="twinshop up --architecture sticky-memory")
    if run is None and len(there) > 1:
        raise UsageError(
            f"{len(there)} clusters are running: which one is meant?",
            why=f"oldest first: {', '.join(f'{one} ({_architecture(state, one)})' for one in there)}",
            next_step=f"the same command with --cluster {there[-1]}, or another of them",
        )
    if run not in (None, *there):
        why = f"running: {', '.join(there)}"
        raise UsageError(f"no cluster {run} is running", why=why, next_step="twinshop status")
    return run or there[0]


def _architecture(state: Path, run: str) -> str:
    try:
        return read_cluster_file(folder_of(state, run)).spec.architecture.name
    except UsageError:
        return "damaged"


def _started_ns(state: Path, run: str) -> int:
    """When its folder was made, in ns since 1970; 0 if it is gone."""
    try:
        # Not by the ledger's time: that grows later, too, with every node that is killed or started.
        return own_since_ns(folder_of(state, run))
    except OSError:
        return 0


def attach(state: Path, run: str) -> Cluster:
    """The kept cluster of that id.

    Raises:
        UsageError: there is none.
    """
    folder = folder_of(state, run)
    ledger = Ledger.open(state, run, kept=True)
    return engine_named(read_cluster_file(folder).engine).attach(folder, ledger)


def end_cluster(state: Path, run: str) -> Recovered:
    """Stop a kept cluster and remove all of it; works on one that is damaged, too.

    Raises:
        TwinshopError: something of it would not go.
    """
    ledger = Ledger.open(state, run, kept=True)
    with suppress(UsageError):  # its file is damaged or gone: the ledger knows enough
        attach(state, run).stop()
    done = clear(ledger.path)
    if done.left:
        raise TwinshopError(f"still there: {', '.join(done.left)}", next_step="twinshop down --all")
    return done
