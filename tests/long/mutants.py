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
import ast
import difflib
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
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec

from tests.long.mutations import ARITHMETIC, COMPARISONS, REMOVED, Came, Kind
from tests.long.touched import TO, Touched, read_touched, stages

ROOT = Path(__file__).parents[2]
ROOMS = ("session_model", "checks", "judging")
UNIT = "not cluster and not browser and not docker and not long"
BOUND_S = 600.0
"""For all tests of one mutant; one that runs for ever is seen sooner, by the bound of each test."""
TEST_BOUND_S = 120
"""On a busy machine, too: a mutant that is only slow must not count as detected."""
EQUIVALENT: dict[str, str] = {}
"""By `Mutant.name`: why it is the same program."""


class Mutant(msgspec.Struct, frozen=True):
    """One small mistake: these characters of a module replaced by others."""

    path: str
    line: int
    start: int
    """Offset in the module's UTF-8 bytes."""
    end: int
    kind: Kind
    new: str
    name: str
    """The lines that it changes, before and after: the same mutant though lines above it come and go."""

    @property
    def place(self) -> str:
        """Of this mutant only, as long as the module stays as it is."""
        return f"{self.path}:{self.line}:{self.start}:{self.kind}:{self.new}"

    def applied(self, source: bytes) -> bytes:
        """The module with the mistake in it."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """For a person."""
        before, after = source.decode().splitlines(), self.applied(source).decode().splitlines()
        return "\n".join(list(difflib.unified_diff(before, after, self.path, self.path, lineterm="", n=1))[2:])


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


class Draft:
    """Finds the mutants of one module."""

    def __init__(self, path: str, source: bytes) -> None:
        self._path = path
        self._source = source
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self.found: list[Mutant] = []

    def look(self) -> list[Mutant]:
        """All of them, in the order of the module."""
        self._visit(ast.parse(self._source), within=False)
        return sorted(self.found, key=lambda mutant: (mutant.start, mutant.end, mutant.kind, mutant.new))

    def _visit(self, node: ast.AST, *, within: bool) -> None:
        """`within` a function: what a module says outside of them are mostly types and texts."""
        if within:
            self._mutate(node)
        within = within or isinstance(node, ast.FunctionDef)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "bases", "type_params") or _is_message(node, field):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_docstring(child) and not isinstance(child, ast.JoinedStr):
                    self._visit(child, within=within)

    def _mutate(self, node: ast.AST) -> None:
        if isinstance(node, ast.Compare):
            self._mutate_comparison(node)
        elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC and not _is_text(node):
            self._add("arithmetic", node, _with(node, op=ARITHMETIC[type(node.op)]()))
        elif isinstance(node, ast.BoolOp):
            self._add("boolean", node, _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._add("boolean", node, node.operand)
        elif isinstance(node, ast.Constant):
            self._mutate_constant(node)
        elif isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
            self._add("return", node, ast.Return(ast.Constant(None)))
        elif isinstance(node, ast.Call) and _can_swap(node.args):
            self._add("swapped", node, _with(node, args=[node.args[1], node.args[0], *node.args[2:]]))
        if isinstance(node, REMOVED) or (isinstance(node, ast.Assign) and not _names_only(node)):
            self._add("removed", node, ast.Pass())

    def _mutate_comparison(self, node: ast.Compare) -> None:
        for number, op in enumerate(node.ops):
            ops = [*node.ops]
            ops[number] = COMPARISONS[type(op)]()
            self._add("comparison", node, _with(node, ops=ops))
        for text in (node.left, *node.comparators):  # a word that is compared decides; elsewhere it is for people
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                self._add("constant", text, ast.Constant(text.value + "x"))

    def _mutate_constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add("boolean", node, ast.Constant(not node.value))
        elif isinstance(node.value, int | float):
            self._add("constant", node, ast.Constant(node.value + 1))

    def _add(self, kind: Kind, node: ast.expr | ast.stmt, new: ast.AST) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        text = ast.unparse(ast.fix_missing_locations(new))
        text = f"({text})" if isinstance(node, ast.expr) and not isinstance(new, ast.Constant | ast.Call) else text
        lines = slice(self._starts[node.lineno - 1], self._starts[node.end_lineno])
        before, after = (
            self._source[lines],
            self._source[lines.start : start] + text.encode() + self._source[end : lines.stop],
        )
        name = f"{self._path}: {' '.join(before.decode().split())} -> {' '.join(after.decode().split())}"
        self.found.append(Mutant(self._path, node.lineno, start, end, kind, text, name))


def _with(node: ast.AST, **changed: object) -> ast.AST:
    fields = {field: getattr(node, field) for field in node._fields}
    return type(node)(**{**fields, **changed})


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _names_only(node: ast.Assign) -> bool:
    """Without it, every run of it ends in a NameError: no test is needed for that."""
    return all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(
        isinstance(e, ast.JoinedStr) or (isinstance(e, ast.Constant) and isinstance(e.value, str)) for e in sides
    )


def _is_message(node: ast.AST, field: str) -> bool:
    return isinstance(node, ast.Raise | ast.Assert) and field in ("exc", "msg", "cause")


def _can_swap(args: Sequence[ast.expr]) -> bool:
    first_two = [ast.dump(arg) for arg in args[:2] if not isinstance(arg, ast.Starred)]
    return len(first_two) == 2 and first_two[0] != first_two[1]


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
                if code != 0:
                    came, by = ("timed out" if code is None else "killed"), " ".join(tests)
                    break
        finally:
            path.write_bytes(source)
        took_s = round(time.monotonic() - began, 1)
        return Tried(mutant.place, mutant.name, mutant.line, mutant.kind, came, by, took_s, mutant.diff(source))

    def run_tests(self, tests: Sequence[str], bound_s: float, told: Mapping[str, str] | None = None) -> int | None:
        """The exit code of pytest; None if it took longer, and was ended with all that it had started."""
        command = [
            sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", "-p", "tests.long.touched", "-m", UNIT,
            "--hypothesis-seed", "0", "--timeout", str(TEST_BOUND_S), *tests,
        ]  # fmt: skip
        # Installed is the original: the copy goes before it. Compiled files are told apart by the second: none is kept.
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **(told or {})}
        process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(max(0.0, bound_s))
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(jobs):
            trees.put(Tree(root, Path(folder) / str(number)))
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
