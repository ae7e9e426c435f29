"""The campaign's side: who may carry out its runs, and handing them out by a Dask scheduler.

    machines = Machines("tcp://scheduler:8786", say)
    launcher = FarLauncher(machines, folder, engine="processes")      # for the one runner of all campaigns

Whatever a machine loses is run again elsewhere: a job's result is taken once, from the future that stands for it now.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path

import msgspec
from distributed import Client, Event, Future, Security
from distributed.scheduler import KilledWorker

from compose.cluster import DEFAULT_BALANCER
from loadtests.campaigns.bundles.unpack import unpack
from loadtests.campaigns.far.worker import (
    MACHINE,
    Order,
    Returned,
    SameHere,
    Work,
    carry_out,
    named_for_others,
    resource_of,
    same_here,
)
from loadtests.campaigns.runner import Launcher, Outcome, RunJob
from loadtests.running.provenance import differences, sameness
from shared.errors import EnvironmentNotReady, TwinshopError

CONNECT_WITHIN_S = 10.0
RECONNECT_WITHIN_S = 60.0  # so long may the scheduler be gone before the campaign ends; what has come back is kept
NOBODY_WITHIN_S = 120.0  # so long may there be no machine at all
LOOK_EVERY_S = 1.0
MOST_TRIES = 25  # a run that this many workers died of, or in, is reported as not run
FORGOTTEN_AFTER_S = 3.0  # so long may a run that was handed out be with no machine, although there is one
LOST = frozenset({"cancelled", "lost"})
_decode_returned = msgspec.msgpack.Decoder(Returned).decode


class Machines:
    """The workers of a Dask scheduler that have one `machine` each and would run with the same as here."""

    def __init__(
        self, address: str, say: Callable[[str], None], balancers: tuple[str, ...] = (DEFAULT_BALANCER,)
    ) -> None:
        """Connect, and name whoever is refused; `balancers`: those that the campaign runs.

        Raises:
            EnvironmentNotReady: there is no scheduler at that address, or nobody may be used.
        """
        self.address = address
        self.balancers = balancers
        self.same = sameness(balancers)
        self._say = say
        self._known: dict[str, str] = {}
        """By a worker's address: why it is refused; "" if it is not."""
        self._looked = self._anybody = time.monotonic()
        self._at_work: frozenset[str] = frozenset()
        self._asked = 0.0
        self._connect(CONNECT_WITHIN_S)
        self.usable = self._look()
        if not self.usable:
            self.close()
            raise self._nobody()

    def _connect(self, within_s: float) -> None:
        until = time.monotonic() + within_s
        _check_certificates(self.address)
        while True:
            try:
                self.client = Client(self.address, timeout=max(1.0, until - time.monotonic()), set_as_default=False)
                # Named for its balancers: a campaign of others must not be taken for this one on the same workers.
                self.client.register_plugin(SameHere(self.balancers), name=f"twinshop-{'-'.join(self.balancers)}")
                return
            except (OSError, TimeoutError, ValueError) as error:
                # A ValueError is of the address itself: waiting makes no other one of it.
                if time.monotonic() > until or isinstance(error, ValueError):
                    raise EnvironmentNotReady(
                        f"there is no Dask scheduler at {self.address}",
                        why=" ".join(str(error).split())[:200] or type(error).__name__,
                        next_step="start one (dask scheduler), then the same command: it goes on where it ended",
                    ) from error
                time.sleep(LOOK_EVERY_S)

    def count(self) -> int:
        """How many may be used now; looked at once a second.

        Raises:
            EnvironmentNotReady: there was none for a while, or the scheduler does not come back.
        """
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY_S:
            self.be_connected()
            self.usable = self._look()
            self._looked = now
            self._anybody = now if self.usable else self._anybody
            if now - self._anybody > NOBODY_WITHIN_S:
                raise self._nobody()
        return self.usable

    def has(self, name: str, since: float) -> bool:
        """Whether a machine has the run of that name, which was handed out at `since`; looked at once a second."""
        if time.monotonic() - self._asked >= LOOK_EVERY_S:
            self._at_work = frozenset(key for keys in self.client.processing().values() for key in keys)
            self._asked = time.monotonic()
        # The last look may be older than the run: then nothing is known of it yet.
        return name in self._at_work or self._asked < since + LOOK_EVERY_S

    def be_connected(self) -> None:
        """Connect again if the scheduler went away; all futures from before are lost then.

        Raises:
            EnvironmentNotReady: it does not come back.
        """
        if self.client.status != "running":
            self._say(f"the scheduler at {self.address} is gone: waiting for it")
            with suppress(Exception):  # it has nobody to take leave of
                self.client.close(timeout=1)
            self._connect(RECONNECT_WITHIN_S)

    def _look(self) -> int:
        """How many are the same as here; tells of others once."""
        try:
            workers = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError):
            return 0
        # What a worker would run with is a resource of Dask's: so the scheduler itself gives it none but fitting runs.
        good = resource_of(self.same)
        usable = 0
        for address, worker in workers.items():
            resources = worker.get("resources") or {}  # None where it was started with none
            usable += good in resources
            if good not in resources and address not in self._known:
                self._known[address] = self._why_not(address, resources)
                self._say(f"worker {worker.get('name', address)} is refused: {self._known[address]}")
        return usable

    def _why_not(self, address: str, resources: dict[str, float]) -> str:
        if MACHINE not in resources:
            return f'it has no resource "{MACHINE}": start it with --resources "{MACHINE}=1"'
        try:
            there = self.client.run(same_here, self.balancers, workers=[address])[address]
        except Exception as error:  # noqa: BLE001 - whatever a foreign worker raises: it has no Twinshop, or another one
            return f"it cannot say what it would run with ({type(error).__name__}: {error})"
        return "; ".join(differences(self.same, there)) or "it has just come"

    def _nobody(self) -> EnvironmentNotReady:
        refused = [why for why in self._known.values() if why]
        return EnvironmentNotReady(
            f"the scheduler at {self.address} has no machine to run on",
            why=f"of its workers, {len(refused)} refused: {refused[0]}" if refused else "it has no workers",
            next_step=f'dask worker {self.address} --nthreads 1 --resources "{MACHINE}=1"',
        )

    def close(self) -> None:
        """Leave the scheduler."""
        with suppress(Exception):
            self.client.close(timeout=5)


def _check_certificates(address: str) -> None:
    """Nothing, unless TLS is asked for and Dask has no certificate to show: it would end in an error of its own."""
    if not address.startswith("tls://"):
        return
    why = "distributed.comm.tls is not configured"
    try:
        if Security().get_connection_args("client").get("ssl_context") is not None:
            return
    except OSError as error:  # a file is not there, or is no certificate
        why = f"{error.filename or 'distributed.comm.tls'}: {error.strerror or error}"
    raise EnvironmentNotReady(
        f"cannot ask the scheduler at {address}: Dask has no certificate to show it",
        why=why,
        next_step="https://distributed.dask.org/en/stable/tls.html, with DASK_CONFIG=FILE if it is none of Dask's own",
    )


class FarLauncher(Launcher):
    """Hands jobs out; each one's run folder appears in `folder` when it has come back."""

    def __init__(
        self, machines: Machines, folder: Path, engine: str, *, shoppers: int | None = None, workers: int = 1,
        work: Work = carry_out,
    ) -> None:  # fmt: skip
        """`work`: what is done on the machines; another one only to try the campaign itself."""
        self.there = machines
        self._folder = folder
        self._engine = engine
        self._shoppers = shoppers
        self._workers = workers
        self._work = work
        self._address_of: dict[str, str] = {}
        """By `RunJob.together`: where one of them ran, and so the others do."""

    def start(self, job: RunJob) -> FarRun:
        """Hand one out."""
        return FarRun(self, job)

    def machines(self) -> int:
        """How many there are now."""
        return self.there.count()

    @contextmanager
    def hold(self, say: Callable[[str], None]) -> Iterator[None]:
        """Nothing is held here: each machine is held by the run on it, and clears away for itself."""
        try:
            yield
        finally:
            self.there.close()

    def clear_away(self, say: Callable[[str], None]) -> None:
        """Each machine does."""

    def submit(self, job: RunJob, name: str) -> Future[bytes]:
        """Hand it out once more, under that name; to the machine of those that belong together, if it is there."""
        self.there.be_connected()
        asked = msgspec.structs.replace(job, scenario=named_for_others(job.scenario))
        order = Order(asked, self._engine, self._shoppers, self._workers, self.there.same, name, self.there.balancers)
        if self.gone(job):  # kept, it would have the job given up again and again, for it still is not there
            self._address_of.pop(job.together)
        place = self._address_of.get(job.together)
        return self.there.client.submit(
            # No retries: an error would be the same again. A worker's death Dask bears a few times, and then tells.
            self._work, msgspec.msgpack.encode(order), pure=False, retries=0,
            workers=[place] if place else None, key=name,
            resources={MACHINE: 1, resource_of(self.there.same): 1},
        )  # fmt: skip

    def gone(self, job: RunJob) -> bool:
        """The machine that it has to be run on is not there any more."""
        place = self._address_of.get(job.together)
        return place is not None and place not in self.there.client.scheduler_info(n_workers=-1)["workers"]

    def take(self, job: RunJob, said: bytes) -> Outcome:
        """Keep a run that has come back, as what a stranger sends is kept."""
        returned = _decode_returned(said)
        outcome = returned.outcome
        if job.together and returned.address:  # times of one block are compared: they are of one machine
            self._address_of[job.together] = returned.address
        if not returned.bundle:
            return outcome
        with tempfile.TemporaryDirectory(prefix=".coming-", dir=self._folder) as draft:
            file = Path(draft) / "run.zip"
            file.write_bytes(returned.bundle)
            folder = unpack(file, Path(draft) / "run")
            return msgspec.structs.replace(outcome, run=_settle(folder, self._folder / job.into))


def _settle(folder: Path, place: Path) -> str:
    """Move a run's folder to its place; two machines may have begun one of the same name in the same second."""
    place.mkdir(parents=True, exist_ok=True)
    names = chain((folder.name,), (f"{folder.name}-{number}" for number in count(2)))
    name = next(name for name in names if not (place / name).exists())
    shutil.move(folder, place / name)
    return name


class FarRun:
    """One job, wherever it goes on."""

    def __init__(self, launcher: FarLauncher, job: RunJob) -> None:
        self._launcher = launcher
        self._job = job
        self._tries = 0
        self._looked = self._handed_out = self._had = 0.0
        self._client: Client | None = None
        self._hand_out()

    def _hand_out(self) -> None:
        self._tries += 1
        job = self._job
        # Another name with each try: to Dask one name is one result, and the old one's is not wanted any more.
        self._name = f"twinshop-{Path(job.scenario).stem}-{job.seed}-{secrets.token_hex(4)}"
        self._future = self._launcher.submit(job, self._name)
        self._handed_out = self._had = time.monotonic()
        self._client = self._launcher.there.client

    def ending(self) -> Outcome | None:
        """What came of it; None as long as it goes on, or is begun again.

        Raises:
            EnvironmentNotReady: the scheduler does not come back, or no machine.
        """
        there = self._launcher.there
        there.be_connected()
        # Another client: futures of the old one are never heard of again.
        if self._client is not there.client or self._future.status in LOST or self._waits_in_vain():
            return self._again("the scheduler was lost")
        if not self._future.done():
            return self._again("no machine took it") if self._is_forgotten() else None
        error = self._future.exception()
        if error is None:
            return self._taken(self._future.result())
        if isinstance(error, KilledWorker):
            return self._again("its workers died")
        return Outcome(error=f"its machine could not carry it out: {type(error).__name__}: {error}")

    def _is_forgotten(self) -> bool:
        """No machine has it, though there is one."""
        # What nobody could run Dask looks at again when a worker comes. Ours says a moment later what it would run
        # with, and that Dask does not hear: a campaign whose only worker died and came back would wait for ever.
        there, now = self._launcher.there, time.monotonic()
        try:
            if not there.count() or there.has(self._name, self._handed_out):
                self._had = now
        except (OSError, TimeoutError):  # who could not be asked has forgotten nothing
            self._had = now
        return now - self._had > FORGOTTEN_AFTER_S

    def _taken(self, said: bytes) -> Outcome | None:
        refused = _decode_returned(said).refused
        if refused:
            return self._again(f"its machine is another one: {'; '.join(refused)}")
        try:
            return self._launcher.take(self._job, said)
        except TwinshopError as error:
            return Outcome(error=f"what came back cannot be read: {error.what}")

    def _waits_in_vain(self) -> bool:
        """It was to run where those of its kind ran, and that machine is gone."""
        now = time.monotonic()
        if not self._job.together or now - self._looked < LOOK_EVERY_S:
            return False
        self._looked = now
        return self._future.status == "pending" and self._launcher.gone(self._job)

    def _again(self, why: str) -> Outcome | None:
        if self._tries >= MOST_TRIES:
            return Outcome(error=f"it was begun {self._tries} times, and {why}")
        with suppress(Exception):  # it may be known to a scheduler that is gone
            self._future.cancel(force=True)
        self._hand_out()
        return None

    def interrupt(self) -> None:
        """End it: its machine stops the cluster and judges what there is."""
        with suppress(Exception):  # without a scheduler nobody hears it, and the worker ends by itself
            Event(self._name, client=self._launcher.there.client).set()

    def kill(self) -> None:
        """Give it up; its machine ends it and clears away."""
        self.interrupt()
        with suppress(Exception):
            self._future.cancel(force=True)
