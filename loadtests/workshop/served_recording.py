"""A finished run in the workshop's dashboard, to be looked at again: no cluster, no harness, nothing is measured."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from loadtests.campaigns.bundles.unpack import run_in
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.dashboard_assignment import DashboardAssignment, await_ready, dashboard_command
from loadtests.workshop.listen_addresses import ListenAddress
from shared.errors import UsageError

USUAL = ("sticky-memory", "redis")
READY_WITHIN_S = 120.0  # a large run takes a while to be read
STOP_WITHIN_S = 5.0


class ServedRecording(NamedTuple):
    """A dashboard that shows a run."""

    process: subprocess.Popen[bytes]
    url: str
    architectures: tuple[str, str]


@contextmanager
def replayed(run: Path, architectures: Sequence[str] = (), *, port: int = 0) -> Iterator[ServedRecording]:
    """The dashboard of a finished run (its folder, or a bundle of it), for this machine only; within, it is served.

    `architectures`: the two that are shown; by default sticky-memory and redis, or else the first two of the run.

    Raises:
        UsageError: it is no whole run, or did not measure two such architectures.
        NotReadyInTime: the dashboard did not come up.
    """
    with run_in(run) as folder, tempfile.TemporaryDirectory(prefix="twinshop-") as temporary:
        two, place = _two_of(folder, tuple(architectures)), Path(temporary)
        told = DashboardAssignment(
            str(place / "workshop.json"), str(place / "ready.json"), secrets.token_urlsafe(24),
            listen=ListenAddress(port=port), recorded=str(folder.resolve()), architectures=two, parent=os.getpid(),
        )  # fmt: skip
        log = place / "dashboard.log"
        with log.open("wb") as out:
            # It needs no ledger: Ctrl-C reaches all of this process's group; when `parent` is gone, it ends by itself.
            process = subprocess.Popen(
                dashboard_command(place, told), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )  # fmt: skip
        try:
            ready = await_ready(Path(told.ready), process.poll, READY_WITHIN_S, log)
            yield ServedRecording(process, f"http://{ready.host}:{ready.port}/", two)
        finally:
            _stop(process)


def _two_of(folder: Path, named: tuple[str, ...]) -> tuple[str, str]:
    measured = RunFolder(folder).read_provenance().architectures
    wanted = named or (USUAL if set(USUAL) <= set(measured) else measured[:2])
    if len(wanted) != 2 or not set(wanted) <= set(measured):
        raise UsageError(
            f"{folder.name} cannot show {' beside '.join(wanted) or 'anything'}",
            why=f"two are shown side by side, and it measured {', '.join(measured)}",
            next_step="name two of them: --architecture NAME --architecture NAME",
        )
    return wanted[0], wanted[1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
