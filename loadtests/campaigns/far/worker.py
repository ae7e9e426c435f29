"""The worker's side: carry out one run that is named, in a process of its own, and give back its bundle.

Dask hands `carry_out` over by its name and not as code, so what is executed is what this machine's checkout holds.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from distributed import Event, WorkerPlugin, get_client, get_worker

from compose.cluster import DEFAULT_BALANCER
from compose.supervision.ledger import Ledger, recover, state_folder
from compose.supervision.ledger_file import Ended, Spawned
from compose.supervision.process_table import birth_of
from loadtests.campaigns.bundles.pack import pack
from loadtests.campaigns.one_run import RunOrder, start_run
from loadtests.campaigns.runner import Outcome, RunJob
from loadtests.running.provenance import ROOT, differences, digest, sameness
from shared.errors import TwinshopError, UsageError

MACHINE = "machine"  # the resource of which a worker has one: one run at a time
LOOK_EVERY_S = 0.5
BUSY_WITHIN_S = 60.0  # so long may a killed worker's orphan take to end its run, before this machine counts as busy
ENDS_WITHIN_S = 30.0
RUN = "run"  # the process in the ledger; if it were not known, it would write into a folder that is being removed
_decode_outcome = msgspec.json.Decoder(Outcome).decode


class Order(msgspec.Struct, frozen=True):
    """One run that is to be carried out, and with what."""

    job: RunJob
    engine: str
    shoppers: int | None
    workers: int
    same: dict[str, str]
    """What must be the same here."""
    ends: str
    """The name of the event that ends it."""
    balancers: tuple[str, ...] = (DEFAULT_BALANCER,)
    """That the campaign runs."""


_decode_order = msgspec.msgpack.Decoder(Order).decode


class Returned(msgspec.Struct, frozen=True):
    """What came of it."""

    outcome: Outcome
    bundle: bytes = b""
    """Of the run; empty if there is nothing to judge."""
    address: str = ""
    """Where Dask reaches the worker."""
    refused: tuple[str, ...] = ()
    """What is different here: it was not carried out."""


Work = Callable[[bytes], bytes]
"""An `Order` to a `Returned`, both as MessagePack."""


def carry_out(asked: bytes) -> bytes:
    """Carry out an order on this machine."""
    order = _decode_order(asked)
    refused = differences(order.same, sameness(order.balancers))
    returned = Returned(Outcome(), refused=refused) if refused else _run(order)
    return msgspec.msgpack.encode(returned)


def named_for_others(scenario: str) -> str:
    """The scenario as another machine can find it: by name, or from the checkout's root on.

    Raises:
        UsageError: it is a file beyond the checkout.
    """
    if "/" not in scenario:
        return scenario
    path = Path(scenario).resolve()
    if not path.is_relative_to(ROOT):
        raise UsageError(
            f"{scenario} cannot be run on other machines", why="a worker runs what its own checkout holds",
            next_step="omit --on",
        )  # fmt: skip
    return path.relative_to(ROOT).as_posix()


def _named_here(scenario: str) -> str:
    # Asked again, whatever the sender has made sure of: nothing beyond the checkout is read, whoever sends.
    return scenario if "/" not in scenario else str(ROOT / named_for_others(str(ROOT / scenario)))


def resource_of(same: dict[str, str]) -> str:
    """The resource that a worker has if it is the same."""
    return f"twinshop-{digest(same)}"


class SameHere(WorkerPlugin):
    """Tells the scheduler what this worker would run with, and clears away what an earlier one left here."""

    def __init__(self, balancers: tuple[str, ...]) -> None:
        self._balancers = balancers

    async def setup(self, worker: object) -> None:
        """Called by Dask when the campaign begins, or the worker."""
        with suppress(TwinshopError):  # whatever cannot be cleared away now is told by the next run
            recover(state_folder())
        # Only to one that offers itself: a worker of other people's work on the same scheduler is left as it is.
        if MACHINE in worker.state.total_resources:  # type: ignore[attr-defined]
            await worker.set_resources(**{resource_of(sameness(self._balancers)): 1})  # type: ignore[attr-defined]


def same_here(balancers: tuple[str, ...]) -> dict[str, str]:
    """`sameness`, as the campaign asks a worker for it."""
    return sameness(balancers)


def _run(order: Order) -> Returned:
    """In a folder and a process that the ledger knows of: what is left when this process dies is cleared away there."""
    # Before the run's own ledger: recovery begins with the oldest, ends the orphan first, and then what that started.
    here, state, mine = get_worker(), state_folder(), f"far-{os.getpid()}-{secrets.token_hex(4)}"
    place = state / "far" / mine
    try:
        with Ledger.open(state, mine) as ledger:
            ledger.make_folder(place)
            outcome = msgspec.structs.replace(_outcome(order, place, ledger), machine=str(here.name))
            bundle = pack(place / outcome.run, place / "run.zip").file.read_bytes() if outcome.run else b""
            return Returned(outcome, bundle, here.address)
    except TwinshopError as error:  # a run of which there is no bundle
        return Returned(Outcome(error=error.what, machine=str(here.name)), address=here.address)


def _outcome(order: Order, place: Path, ledger: Ledger) -> Outcome:
    """Carry it out; again, as long as the machine is busy with ending another one."""
    until = time.monotonic() + BUSY_WITHIN_S
    while True:
        outcome = _in_a_process(order, place, ledger)
        if not outcome.busy or time.monotonic() > until:
            return outcome
        time.sleep(LOOK_EVERY_S)


def _in_a_process(order: Order, place: Path, ledger: Ledger) -> Outcome:
    job = msgspec.structs.replace(order.job, scenario=_named_here(order.job.scenario))
    run = RunOrder(job, order.engine, str(place), os.getpid(), order.shoppers, order.workers, held=False)
    process = start_run(run, place / "words.log")
    # With its birth: when somebody recovers, the number may have become another process's.
    ledger.add(Spawned(RUN, process.pid, birth_of(process.pid) or ""))
    try:
        while process.poll() is None and not _is_over(order.ends):
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_EVERY_S)
        if process.poll() is None:
            process.terminate()  # heard as Ctrl-C is: it stops its cluster and judges what there is
        said, _ = process.communicate(timeout=ENDS_WITHIN_S)
        return _decode_outcome(said)
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        process.kill()
        process.communicate()
        return Outcome(error=f"its process ended with {process.returncode}")
    finally:
        ledger.add(Ended(RUN, process.pid))


def _is_over(event: str) -> bool:
    """Its user ended it. Without a scheduler nobody knows; then Dask ends this worker, too."""
    try:
        return bool(Event(event, client=get_client()).wait(timeout=0))
    except Exception:  # noqa: BLE001 - Dask raises whatever its connections raise
        return False
