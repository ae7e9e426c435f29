"""What one load process is told, through its environment: written by the harness, read by the locustfile.

Without a plan the locustfile is a plain one: any number of free shoppers, for as long as one likes.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from compose.cluster import HttpInterface
from loadtests.model.plan import ClientLimits
from shared.errors import UsageError

GO_FILE = "go.json"
END_FILE = "end.json"


class WorkerConfig(msgspec.Struct, frozen=True):
    """One load process's part of a run."""

    plan: Path | None = None
    """None: free shoppers."""
    architecture: str = "free"
    run: str = ""
    """Every answer must carry it; empty: whatever answers is believed."""
    prefix: str = "free"
    """Of every request id."""
    password: str = "shop"
    folder: Path | None = None
    """Where history, progress and the gate file lie. None: nothing is written."""
    worker: int = 0
    workers: int = 1
    seed: int = 1
    """Of free shoppers; planned ones have theirs in the plan."""
    accounts: int = 60
    """How many demo accounts free shoppers may use."""
    application: Path | None = None
    """What to ask, an `AskedApplication` in JSON; None: the shop that Twinshop comes with."""
    live: int = 0
    """1: a person says when the load window begins, and may end it early."""

    @property
    def history(self) -> Path | None:
        """What this process asked and was answered."""
        return None if self.folder is None else history_file(self.folder, self.worker)

    @property
    def progress(self) -> Path | None:
        """How far it is."""
        return None if self.folder is None else progress_file(self.folder, self.worker)

    def mine(self, shopper: int) -> bool:
        """Is this shopper one of this process's? Every shopper belongs to exactly one."""
        return (shopper - 1) % self.workers == self.worker

    def environment(self) -> dict[str, str]:
        """As environment variables."""
        return {
            _variable(field): str(value)
            for field in WorkerConfig.__struct_fields__
            if (value := getattr(self, field)) is not None
        }


class VisitConfig(msgspec.Struct, frozen=True):
    """What is the same for all visits to one shop."""

    architecture: str
    run: str
    """Every answer must carry it; empty: not looked at."""
    prefix: str
    """Of request ids."""
    limits: ClientLimits
    http: HttpInterface
    addresses: int = 0
    """From how many addresses the shoppers come; 0: each from one of its own."""
    gives_up: bool = False
    """The client takes any error of the shop for a logout."""
    window_us: int = 0
    """When the load window ends, and with it what is watched."""
    in_account: bool = False
    """What is remembered belongs to the account: it outlives a logout."""


class StartSignal(msgspec.Struct, frozen=True):
    """The gate file: when the load window begins."""

    zero_monotonic_ns: int


class EndSignal(msgspec.Struct, frozen=True):
    """The file that ends a live load window early. It must be read before that moment."""

    window_ms: int
    """When the window ends, counted from its zero."""


def worker_config_from(environment: Mapping[str, str] = os.environ) -> WorkerConfig:
    """What the environment says.

    Raises:
        UsageError: a variable cannot be read, or free shoppers have no password; names it.
    """
    given = {
        field: environment[_variable(field)]
        for field in WorkerConfig.__struct_fields__
        if environment.get(_variable(field))  # empty is not set: so a shell unsets one for a single command
    }
    try:
        found = msgspec.convert(given, WorkerConfig, strict=False, dec_hook=lambda path, text: path(text))
    except msgspec.ValidationError as error:  # every text is a path: only a number can be wrong
        bad = str(error).rpartition("$.")[2].rstrip("`")
        raise UsageError(
            f"{_variable(bad)} is {given[bad]!r}", why="expected a whole number", next_step=f"unset {_variable(bad)}"
        ) from error
    if found.plan is None and not environment.get("TWINSHOP_PASSWORD"):
        raise UsageError(
            "TWINSHOP_PASSWORD is not set",
            why="without the shop's password nobody can log in; `twinshop up` and `twinshop status` print it",
            next_step="TWINSHOP_PASSWORD=… locust -f loadtests/locustfile.py --host http://127.0.0.1:PORT",
        )
    if not 0 <= found.worker < found.workers:
        raise UsageError(
            f"TWINSHOP_WORKER is {found.worker}, of {found.workers} workers",
            why="workers are counted from 0",
            next_step="give a number from 0 to TWINSHOP_WORKERS - 1",
        )
    return found


def history_file(folder: Path, worker: int) -> Path:
    """Where a load process writes its history."""
    return folder / f"history-{worker}.ndjson"


def progress_file(folder: Path, worker: int) -> Path:
    """Where a load process writes its progress."""
    return folder / f"progress-{worker}.ndjson"


def _variable(field: str) -> str:
    return {"prefix": "TWINSHOP_REQUEST_PREFIX", "folder": "TWINSHOP_LOAD_FOLDER"}.get(
        field, f"TWINSHOP_{field.upper()}"
    )


Phase = Literal["waiting", "load", "audit", "done"]
PHASES: tuple[Phase, ...] = ("waiting", "load", "audit", "done")


class LoadProgress(msgspec.Struct, frozen=True):
    """The state of one load process, or of several added up."""

    at_us: int = 0
    """Microseconds since the zero of the load window; 0 while waiting for it."""
    phase: Phase = "waiting"
    sent: int = 0
    """Requests sent, those of recoveries and of the audit too."""
    ok: int = 0
    failed: int = 0
    unknown: int = 0
    not_sent: int = 0
    logged_out: int = 0
    """Shoppers who were logged out at least once."""
    carts_lost: int = 0
    cpu_s: float = 0.0
    problem: str = ""
    """Why this process gave up; the run is void."""


_decoder = msgspec.json.Decoder(LoadProgress)
_TAIL = 4096  # bytes: more than the longest line of progress


def newest_progress(path: Path) -> LoadProgress | None:
    """The last whole line; None if there is none yet."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().split(b"\n")[:-1]  # what follows the last newline is being written
    except FileNotFoundError:
        return None
    return _decoder.decode(lines[-1]) if lines else None


def total_progress(parts: Iterable[LoadProgress]) -> LoadProgress:
    """Several processes as one: numbers added, the least advanced phase, the first problem."""
    each = list(parts)
    if not each:
        return LoadProgress()
    added = {
        field: sum(getattr(part, field) for part in each)
        for field in LoadProgress.__struct_fields__
        if field not in ("at_us", "phase", "problem")
    }
    return LoadProgress(
        at_us=min(part.at_us for part in each),
        # The slowest: a load is over when all of its processes are.
        phase=min((part.phase for part in each), key=PHASES.index),
        problem=next((part.problem for part in each if part.problem), ""),
        **added,
    )
