"""Random mutants of what counts, explains and judges: which of them do the unit tests kill?

    python -m tests.long.mutants [--count 300] [--seed 1] [--jobs N] [--out FILE]

A mutant is one small mistake in one place. Each is tried in a copy of the tree by the tests of its own module, then by
all tests of the three rooms that enter the function that it changes: unit tests only, nothing that starts a cluster, a
browser or a container. What comes of each is a line of FILE at once, so that the same command goes on where it ended.
At the end every survivor is told with its place and its diff. `EQUIVALENT` names survivors that no test can kill, each
with the reason.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec
import pytest

from tests.long.mutations import Came, Draft, Kind, Mutant
from tests.long.touched import TO, Touched, read_touched, stages

ROOT = Path(__file__).parents[2]
ROOMS = ("session_model", "checks", "judging")
UNIT = "not cluster and not browser and not docker and not long"
BOUND_S = 600.0
"""For all tests of one mutant; one that runs for ever is seen sooner, by the bound of each test."""
TEST_BOUND_S = 120
"""On a busy machine, too: a mutant that is only slow must not count as detected."""
EQUIVALENT: dict[str, str] = {
    "loadtests/judging/judge.py: at_once = min(len(tasks), os.cpu_count() or 1) -> "
    "at_once = min(len(tasks), (os.cpu_count() and 1))": (
        "how many processes judge at the same time changes no result"
    ),
    "loadtests/session_model/stores/contract.py: return [] if field in fields else changed_by(writer, reader) -> "
    "return [] if field in fields else changed_by(reader, writer)": ("the two are put into a set, and sorted"),
    "loadtests/session_model/stores/contract.py: return [] if kept == taken else changed_by(writer, reader) -> "
    "return [] if kept == taken else changed_by(reader, writer)": ("the two are put into a set, and sorted"),
    "loadtests/session_model/stores/token.py: return changed_by(around.latest(NodeSigns, written), reader) -> "
    "return changed_by(reader, around.latest(NodeSigns, written))": ("the two are put into a set, and sorted"),
    "loadtests/judging/judge.py: at_once = min(len(tasks), os.cpu_count() or 1) -> "
    "at_once = min(len(tasks), os.cpu_count() or 2)": ("how many processes judge at the same time changes no result"),
    "loadtests/judging/costs.py: self._last_us = self._looks[-1].at_us if self._looks else -1 -> "
    "self._last_us = self._looks[-1].at_us if self._looks else -2": ("no answer is done before the load window begins"),
    "loadtests/judging/judge.py: for number, (one, other) in enumerate(zip(written, found, strict=True)): -> "
    "for number, (one, other) in enumerate(zip(written, found, strict=False)):": (
        "both lists are known to be of one length there"
    ),
    "loadtests/judging/judge.py: if at_once > 1 and history.exists() and history.stat().st_size >= PAYS_BYTES: -> "
    "if at_once > 1 and history.exists() and (history.stat().st_size > PAYS_BYTES):": (
        "a history of exactly so many bytes is judged by one process, to the same results"
    ),
    "loadtests/judging/three_logs.py: if len(numbers) < MANY: -> if (len(numbers) <= MANY):": (
        "exactly so many numbers are compared by the other of two ways, which finds the same"
    ),
    "loadtests/session_model/counterfactual.py: sizes = range(1, len(candidates) + 1) -> "
    "sizes = range(1, len(candidates) + 2)": "there are no sets of more than all of them",
    'loadtests/session_model/causes.py: return "" -> return None': (
        "a session that was never opened has no lifetime that could have ended, and nobody is told when it began"
    ),
}
"""By `Mutant.name`: why it is the same program."""


class Tried(msgspec.Struct, frozen=True):
    """What came of a mutant: a line of the file."""

    place: str
    name: str
    line: int
    kind: Kind
    came: Came
    by: str
    """The tests that killed it, or ran too long; empty if it survived."""
    took_s: float
    diff: str


class Header(msgspec.Struct, frozen=True):
    """The first line of the file: results of other code, or of another draw, must not be mixed with these."""

    seed: int
    count: int
    sha256: str


def mutants_of(root: Path, rooms: Sequence[str] = ROOMS) -> list[Mutant]:
    """Every mutant of those rooms, in order."""
    paths = sorted(path for room in rooms for path in (root / "loadtests" / room).glob("**/*.py"))
    return [mutant for path in paths for mutant in Draft(str(path.relative_to(root)), path.read_bytes()).look()]


def drawn(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them at random: the same from the same seed, and the first of a larger draw."""
    order = list(mutants)
    random.Random(seed).shuffle(order)
    return order[:count]


class Tree:
    """A copy of the project's files in which one mutant at a time is tried."""

    def __init__(self, root: Path, to: Path) -> None:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
        for name in listed.decode().split("\0"):
            if name and (root / name).is_file():
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, to / name)
        self.root = to
        self._serving: subprocess.Popen[bytes] | None = None

    def touched(self) -> dict[str, Touched]:
        """Run all tests, without any mutant.

        Raises:
            SystemExit: they fail.
        """
        to = self.root / "touched.json"
        if self.run_tests([f"tests/loadtests/{room}" for room in ROOMS], 2 * BOUND_S, {TO: str(to)}) != 0:
            raise SystemExit("the tests fail, or take too long, without any mutant")
        return read_touched(to)

    def try_one(self, mutant: Mutant, touched: Mapping[str, Touched], bound_s: float = BOUND_S) -> Tried:
        """Put it in, run the tests until one fails, take it out."""
        path = self.root / mutant.path
        source = path.read_bytes()
        began = time.monotonic()
        came, by = "survived", ""
        chosen = stages(mutant.path, mutant.line, self.root, touched)
        try:
            path.write_bytes(mutant.applied(source))
            for tests in chosen:
                code = self.run_tests(tests, bound_s - (time.monotonic() - began))
                if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                    came, by = ("timed out" if code is None else "killed"), " ".join(tests)
                    break
        finally:
            path.write_bytes(source)
        took_s = round(time.monotonic() - began, 1)
        return Tried(mutant.place, mutant.name, mutant.line, mutant.kind, came, by, took_s, mutant.diff(source))

    def run_tests(self, tests: Sequence[str], bound_s: float, told: Mapping[str, str] | None = None) -> int | None:
        """The exit code of pytest; None if it took longer, and was ended with all that it had started."""
        words = [
            "-xq", "-p", "no:cacheprovider", "-p", "tests.long.touched", "-m", UNIT, "--hypothesis-seed", "0",
            "--timeout", str(TEST_BOUND_S), *tests,
        ]  # fmt: skip
        with self._server(told or {}) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(msgspec.json.encode(words) + b"\n")
            server.stdin.flush()
            group = int(server.stdout.readline())
            too_long = threading.Timer(max(0.0, bound_s), os.killpg, (group, signal.SIGKILL))
            too_long.start()
            try:
                code = int(server.stdout.readline())
            finally:
                too_long.cancel()
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
        return None if code == -signal.SIGKILL else code

    @contextmanager
    def _server(self, told: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """`tests.long.touched.serve`, one for all that is tried here, unless it is told something."""
        if self._serving is None or told:
            # Installed is the original: the copy goes before it. Compiled files are told apart by the second: none is
            # kept.
            environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **told}
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.long.touched"], cwd=self.root, env=environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            self._serving = None if told else server
        else:
            server = self._serving
        try:
            yield server
        finally:
            if told:
                _end(server)

    def close(self) -> None:
        """End what was started."""
        if self._serving is not None:
            _end(self._serving)
            self._serving = None


def _end(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    with server:
        pass


class Record:
    """The file of results; `done` are those of earlier times."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_bytes().splitlines() if path.exists() else []
        if lines and not path.read_bytes().endswith(b"\n"):
            path.write_bytes(b"".join(line + b"\n" for line in lines[:-1]))  # ended in the middle of one: tried again
            del lines[-1]
        if lines and msgspec.json.decode(lines[0], type=Header) != header:
            raise SystemExit(f"{path} holds another draw, or one of other code: move it away, or name another --out")
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.encode(header) + b"\n")
        decoded = (msgspec.json.decode(line, type=Tried) for line in lines[1:])
        self.done = {tried.place: tried for tried in decoded}

    def add(self, tried: Tried) -> None:
        """Keep it, at once."""
        with self._lock, self._path.open("ab") as file:
            file.write(msgspec.json.encode(tried) + b"\n")
            self.done[tried.place] = tried


def try_all(root: Path, mutants: Sequence[Mutant], record: Record, jobs: int) -> None:
    """Try those that were not tried before."""
    left = [mutant for mutant in mutants if mutant.place not in record.done]
    if not left:
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(jobs):
            trees.put(opened.enter_context(closing(Tree(root, Path(folder) / str(number)))))
        first = trees.get()
        touched = first.touched()
        trees.put(first)

        def one(mutant: Mutant) -> None:
            tree = trees.get()
            try:
                record.add(tried := tree.try_one(mutant, touched))
                done = f"{len(record.done):>4} of {len(mutants)}"
                sys.stdout.write(f"{done}  {tried.came:<9} {tried.took_s:6.1f} s  {tried.name}\n")
                sys.stdout.flush()
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                list(pool.map(one, left))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def told(tried: Sequence[Tried]) -> str:
    """What there is to say of them."""
    came = Counter(one.came for one in tried)
    survivors = [one for one in tried if one.came == "survived"]
    equivalent = sum(one.name in EQUIVALENT for one in survivors)
    detected = came["killed"] + came["timed out"]
    kinds = Counter(one.kind for one in tried)
    lost = Counter(one.kind for one in survivors)
    return "\n".join(
        [
            f"{len(tried)} mutants: {came['killed']} killed, {came['survived']} survived "
            f"({equivalent} of them equivalent), {came['timed out']} timed out: {share(tried):.1%} of "
            f"{len(tried) - equivalent} detected ({detected})",
            *(f"  {kind:<11} {kinds[kind] - lost[kind]} of {kinds[kind]} detected" for kind in sorted(kinds)),
            *(f"\n{_label(one.name)}: {one.name}, line {one.line}\n{one.diff}" for one in survivors),
        ]
    )


def share(tried: Sequence[Tried]) -> float:
    """Of those that are not equivalent, how many were detected; 1 if there are none."""
    counted = [one for one in tried if one.came != "survived" or one.name not in EQUIVALENT]
    return sum(one.came != "survived" for one in counted) / len(counted) if counted else 1.0


def _label(name: str) -> str:
    return f"equivalent ({EQUIVALENT[name]})" if name in EQUIVALENT else "survived"


def header_of(root: Path, seed: int, count: int) -> Header:
    """What the results are of: the draw, and the code and the tests of the rooms."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for folder in (root / "loadtests" / room, root / "tests" / "loadtests" / room):
            for path in sorted(folder.rglob("*.py")):
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return Header(seed, count, digest.hexdigest())


def run(root: Path, out: Path, *, count: int, seed: int, jobs: int) -> list[Tried]:
    """Draw, try what was not tried yet, and return what came of each."""
    chosen = drawn(mutants_of(root), count, seed)
    record = Record(out, header_of(root, seed, count))
    try_all(root, chosen, record, jobs)
    return [record.done[mutant.place] for mutant in chosen]


def main() -> None:
    """Try, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/mutants.ndjson"))
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended, too
    sys.stdout.write(told(run(ROOT, asked.out, count=asked.count, seed=asked.seed, jobs=asked.jobs)) + "\n")


if __name__ == "__main__":
    main()
