"""A run is a folder: where each file of it lies, and how it is read and written.

runs/20261121-013044-node-kill-1/
  run.json         provenance: versions, host, the command that made it
  scenario.toml    the scenario as it was
  plan.json        who does what when
  history.ndjson   what was asked and answered
  events.ndjson    what the harness did and saw
  results.json     what was found     (a pure function of all the above and logs/)
  report.html      what people read   (the same)
  logs/<architecture>/…
"""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.errors import EnvironmentNotReady, RunFolderError, UsageError
from shared.ndjson import UNDECODABLE
from shared.schemas import Versioned, decode_versioned

RUN_SCHEMA = 1
REPEATS = "repeats.json"
"""What the folder of repeats has in its place; `loadtests/campaigns/repeats`."""

MOST_NAMED = 5
"""Of the runs that there are, where one is asked for that there is not."""

T = TypeVar("T")
V = TypeVar("V", bound=Versioned)


class Provenance(msgspec.Struct, frozen=True):
    """Where a run comes from."""

    schema: int
    run: str
    """The run's id: 8 hex digits; request ids and `X-Run` carry it."""
    scenario: str
    seed: int
    plan_sha256: str
    engine: str
    architectures: tuple[str, ...]
    shoppers: int
    workers: int
    """Load processes."""
    command: tuple[str, ...]
    """Runs it again."""
    started: str
    """ISO 8601, UTC."""
    twinshop: str
    python: str
    platform: str
    cpus: int
    memory_mb: int
    packages: dict[str, str]
    """Versions of what the run was made with."""
    scenario_sha256: str
    """Of `scenario.toml`: its predictions are the ones that stood before the run."""
    balancer: str = ""
    """By name; empty where nothing of ours is in front, and in runs of when there was only Envoy. Of a round of a
    workshop with two, both, left first: "envoy, haproxy"."""
    files: str = ""
    """The first digits of SHA-256 of Twinshop's own files; empty in older runs."""

    @property
    def balancers(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.balancer.split(", ")) if self.balancer else ()


_decode_provenance = msgspec.json.Decoder(Provenance).decode


class RunFolder:
    """Paths in one run's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.provenance = root / "run.json"
        self.scenario = root / "scenario.toml"
        self.plan = root / "plan.json"
        self.history = root / "history.ndjson"
        self.events = root / "events.ndjson"
        self.results = root / "results.json"
        self.report = root / "report.html"

    @property
    def is_run(self) -> bool:
        """It holds a run, or repeats, and is no link to one."""
        return not self.root.is_symlink() and (self.provenance.is_file() or (self.root / REPEATS).is_file())

    def logs(self, architecture: str) -> Path:
        """The folder of one architecture's logs."""
        return self.root / "logs" / architecture

    def read_provenance(self) -> Provenance:
        """Where the run comes from.

        Raises:
            RunFolderError: there is no such folder, or its `run.json` is missing, damaged or of another schema.
        """
        if not self.root.exists():  # before it is called unreadable: most often a name was misspelt
            raise _no_run(self.root)
        if not self.provenance.exists() and (self.root / REPEATS).is_file():
            raise RunFolderError(
                f"{self.root} is the folder of repeats, not of one run",
                why="each block of them is a run with a folder of its own in it",
                next_step=f"name one of those: ls {shlex.quote(str(self.root))}",
            )
        return read_versioned(self.provenance, _decode_provenance, RUN_SCHEMA, "read it with that version")


def _no_run(root: Path) -> RunFolderError:
    """Beside it, or where runs lie unless somebody says otherwise, may be the one that was meant."""
    places = [place for place in dict.fromkeys((root.parent, Path("runs"))) if place.is_dir()]
    there = [path for place in places for path in sorted(place.iterdir(), reverse=True) if RunFolder(path).is_run]
    return RunFolderError(
        f"there is no run {root}",
        why=f"there are, the newest first: {', '.join(map(str, there[:MOST_NAMED]))}" if there else "there is none yet",
        next_step="twinshop runs" if there else "twinshop run node-kill",
    )


def make_folder(path: Path, place: str = "--runs DIR") -> Path:
    """Make a folder for something that is about to be run; `place` is the option that names another one.

    Raises:
        UsageError: it is there already.
        EnvironmentNotReady: it cannot be made.
    """
    try:
        path.mkdir(parents=True)  # and not if it is there: two runs must never write into one folder
    except OSError as error:
        there = isinstance(error, FileExistsError)
        if there and os.path.lexists(path):
            raise UsageError(f"{path} exists already", why="two in one second", next_step="try again") from error
        raise EnvironmentNotReady(
            f"cannot make the folder {shlex.quote(str(path))}",
            why="a link on the way leads nowhere" if there else error.strerror or str(error),
            next_step=f"name another place: {place}",
        ) from error
    return path


def run_inside(campaign: Path, run: str, document: str) -> Path:
    """The folder of a run that a document in the folder of a campaign names.

    Raises:
        RunFolderError: it is not there, or would not lie in the campaign's folder.
    """
    # A name with folders in it would lead out of this one: such a document may come from anywhere.
    if Path(run).name != run or run == ".." or not (campaign / run).is_dir():
        raise RunFolderError(
            f"{campaign / document} names a run that is not there: {run}", next_step=f"copy the whole of {campaign}"
        )
    return campaign / run


def make_campaign_folder(folder: Path) -> None:
    """Make the folder of many runs; one that is there is gone on with.

    Raises:
        EnvironmentNotReady: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentNotReady(
            f"cannot make the folder {folder}", why=error.strerror or str(error), next_step="name another: --out DIR"
        ) from error


def read_file(path: Path) -> bytes:
    """A file of a run folder.

    Raises:
        RunFolderError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunFolderError(
            f"cannot read {path}",
            why=error.strerror or str(error),
            next_step="name a folder that `twinshop run` made, for example runs/latest",
        ) from error


TEXTS = frozenset({".json", ".ndjson", ".toml", ".html", ".log", ".configuration"})
"""How the names of a run's files end; all are UTF-8."""


def check_text(folder: Path) -> None:
    """Nothing, if every file of a run is text, also those that nobody judges: a byte that is none proves damage.

    Raises:
        RunFolderError: one is not; names the file and the line.
    """
    for path in sorted(path for path in folder.rglob("*") if path.suffix in TEXTS and path.is_file()):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    # Only at a line's end: in the middle of one it is damage, whoever was killed.
                    if error.end == len(line) and error.reason == "unexpected end of data":
                        continue  # whoever wrote it was killed in the middle of a letter
                    raise RunFolderError(
                        f"{path.relative_to(folder)}, line {number}: not UTF-8",
                        why=str(error),
                        next_step="run the scenario again: a damaged run proves nothing",
                    ) from error


def read_document(path: Path, kind: type[T]) -> T:
    """A JSON document of a run folder.

    Raises:
        RunFolderError: it is missing or damaged; says which field.
    """
    with _damage_told(path):
        return msgspec.json.decode(read_file(path), type=kind)


def read_versioned(path: Path, decode: Callable[[bytes], V], reads: int, next_step: str) -> V:
    """A JSON document of a run folder that says which schema it is of; `reads`: the one that it has to be.

    Raises:
        RunFolderError: it is missing, damaged (says which field), or of another schema.
    """
    # Named by its folder alone: of a bundle's run, the rest of the path is gone when the message is read.
    name = Path(path.parent.name, path.name)
    with _damage_told(path):
        return decode_versioned(read_file(path), decode, reads, str(name), next_step=next_step)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except UNDECODABLE as error:
        raise RunFolderError(
            f"{path.name} of the run {path.parent.name} is damaged",
            why=str(error),
            next_step="run the scenario again: a damaged run proves nothing",
        ) from error


def encode_document(document: object) -> bytes:
    """The bytes of a JSON document as it stands in a folder."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def report_beside(folder: Path, run: str) -> str:
    """The address of that run's report as seen from a page in the folder; empty if there is none."""
    return f"{run}/report.html" if run and RunFolder(folder / run).report.is_file() else ""
