"""Damaged runs: does `twinshop check` notice each that changes a count or a loss, and does it always end in good order?

    python -m tests.long.damages [--random 600] [--targeted 100] [--seed 1]

A recorded run (one of tests/golden; as it was written, or judged again by this version) is damaged in one place: at
random in any of its files (`tests.golden.damage`, and here: bytes, lines, fields, the bundle), or on purpose where it
counts (a record dropped, doubled, its outcome, node, shopper or time changed; losses taken out of results.json). Then
it is checked. Demanded is an exit code of 0 to 3, within the bound, without a traceback. And if the run comes to other
counts or losses than before, or its results.json names others than it did, `check` must complain. What was counted is
compared here, as plain numbers: not by the product.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.golden.damage import OF_BUNDLES, OF_FOLDERS, Way, double_record, drop_record
from tests.golden.product import Ended, twinshop
from tests.golden.recorded import RUNS, are_repeats, names

BOUND_S = 120
"""For one check, on a busy machine; by itself the largest recorded run takes about a second."""
ENDS_WELL = (0, 1, 2, 3)
NO_RESULTS = "there is no results.json"
EXPLAINS = {"cause", "because", "counterfactual", "considered", "witness"}
"""Of a loss: why it happened, not what was lost."""


class TooLong(BaseException):
    """A check did not end."""


# --- at random, in any file -------------------------------------------------------------------------------------------


def _any_file(folder: Path, rng: Random) -> Path:
    return rng.choice(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size))


def other_byte(folder: Path, rng: Random) -> str:
    """Another byte, or one more; mostly 0xff, which is no UTF-8 anywhere."""
    path = _any_file(folder, rng)
    content = bytearray(path.read_bytes())
    at, byte, more = rng.randrange(len(content)), rng.choice([0xFF, 0xFF, 0, rng.randrange(256)]), rng.random() < 0.3
    content[at : at + (not more)] = bytes([byte])
    path.write_bytes(bytes(content))
    return f"{path.relative_to(folder)}: byte {at} is {byte:#x}{', one more' if more else ''}"


def cut_file(folder: Path, rng: Random) -> str:
    """It ends too soon, or its beginning is lost."""
    path = _any_file(folder, rng)
    content = path.read_bytes()
    at = rng.randrange(len(content))
    path.write_bytes(content[:at] if rng.random() < 0.7 else content[at:])
    return f"{path.relative_to(folder)}: cut at {at}"


def rename_field(folder: Path, rng: Random) -> str:
    """In a whole file, or in one record of it."""
    paths = sorted(path for path in folder.rglob("*json") if path.stat().st_size)
    path = rng.choice([*paths, folder / "history.ndjson", folder / "history.ndjson", folder / "results.json"])
    content = path.read_bytes()
    keys = sorted(set(re.findall(rb'"(\w+)":', content)))
    if not keys:
        return "nothing"
    key = rng.choice(keys)
    other = rng.choice([key[:-1], key + b"x", b"weather", rng.choice(keys), key.upper()])
    times = rng.choice([1, -1])
    path.write_bytes(content.replace(b'"%s":' % key, b'"%s":' % other, times))
    return f"{path.relative_to(folder)}: {key.decode()} is called {other.decode()}{'' if times == 1 else ' everywhere'}"


def shuffle_lines(folder: Path, rng: Random) -> str:
    """A stretch of lines is moved, doubled or lost."""
    path = rng.choice(sorted(path for path in folder.rglob("*.ndjson") if path.stat().st_size))
    lines = path.read_bytes().splitlines(keepends=True)
    begin, size = rng.randrange(len(lines)), rng.choice([1, 2, 5])
    some, others = lines[begin : begin + size], lines[:begin] + lines[begin + size :]
    at, how = rng.randrange(len(others) + 1), rng.choice(["moved", "doubled", "lost"])
    kept = others if how != "doubled" else lines
    path.write_bytes(b"".join(kept if how == "lost" else kept[:at] + some + kept[at:]))
    return f"{path.relative_to(folder)}: lines {begin + 1} to {begin + len(some)} are {how}"


def other_byte_of_bundle(bundle: Path, rng: Random) -> str:
    """The same of the bundle, as it lies on a disk."""
    content = bytearray(bundle.read_bytes())
    at, byte = rng.randrange(len(content)), rng.choice([0xFF, 0, rng.randrange(256)])
    content[at] = byte
    bundle.write_bytes(bytes(content))
    return f"the bundle's byte {at} is {byte:#x}"


AT_RANDOM: dict[str, Way] = {
    **OF_FOLDERS, "other byte": other_byte, "cut file": cut_file, "rename field": rename_field,
    "shuffle lines": shuffle_lines, **OF_BUNDLES, "other byte of bundle": other_byte_of_bundle,
}  # fmt: skip
BUNDLED = {*OF_BUNDLES, "other byte of bundle"}


# --- on purpose, where it counts --------------------------------------------------------------------------------------


def _of_history(way: Way) -> Way:
    """Until it is the history that was hit."""

    def hit(folder: Path, rng: Random) -> str:
        before = (folder / "history.ndjson").read_bytes()
        while True:
            others = {path: path.read_bytes() for path in folder.rglob("*.ndjson")}
            told = way(folder, rng)
            if (folder / "history.ndjson").read_bytes() != before:
                return told
            for path, content in others.items():
                path.write_bytes(content)

    return hit


def _in_results(change: Callable[[list[dict[str, Any]], Random], str]) -> Way:
    """Another list of losses in results.json; of a run that has none, one is made up."""

    def changed(folder: Path, rng: Random) -> str:
        path = folder / "results.json"
        document = json.loads(path.read_bytes())
        every = document["architectures"]
        name = rng.choice([name for name in every if every[name]["losses"]] or list(every))
        told = change(every[name]["losses"], rng)
        path.write_bytes(json.dumps(document, separators=(",", ":")).encode())
        return f"results.json, {name}: {told}"

    return changed


MADE_UP = {
    "kind": "cart_lost", "shopper": 1, "at_ms": 1.0, "node": "n1", "cause": "node_killed", "witness": [], "items": 1,
}  # fmt: skip


def lose_loss(losses: list[dict[str, Any]], rng: Random) -> str:
    """One, or all."""
    if not losses:
        losses.append(MADE_UP)
        return "a loss is made up"
    if rng.random() < 0.3:
        losses.clear()
        return "all losses are taken out"
    return f"a loss is taken out: {losses.pop(rng.randrange(len(losses)))['kind']}"


def other_loss(losses: list[dict[str, Any]], rng: Random) -> str:
    """One is doubled, or somebody else's, or another time's, or smaller."""
    if not losses:
        losses.append(MADE_UP)
        return "a loss is made up"
    at, key = rng.randrange(len(losses)), rng.choice(["shopper", "at_ms", "items", "twice"])
    if key == "twice":
        losses.insert(at, losses[at])
        return "a loss is there twice"
    losses[at] = {**losses[at], key: losses[at].get(key, 0) + 1}
    return f"the {key} of a loss is another"


TARGETED: dict[str, Way] = {
    "dropped": _of_history(drop_record),
    "doubled": _of_history(double_record),
    "outcome": OF_FOLDERS["another outcome"],
    "node": OF_FOLDERS["another node"],
    "shopper": OF_FOLDERS["another shopper"],
    "time": OF_FOLDERS["another time"],
    "loss taken out": _in_results(lose_loss),
    "another loss": _in_results(other_loss),
}


# --- what was counted -------------------------------------------------------------------------------------------------


def facts(document: Any) -> Counter[str]:
    """Every number of every architecture, and every loss but for why it happened, as lines."""
    found: Counter[str] = Counter()
    architectures = document.get("architectures") if isinstance(document, dict) else None
    for name, result in architectures.items() if isinstance(architectures, dict) else ():
        losses = result.get("losses", []) if isinstance(result, dict) else []
        for loss in losses:
            found[f"{name} {sorted((k, v) for k, v in loss.items() if k not in EXPLAINS)}"] += 1
        if isinstance(result, dict):
            rest = {key: value for key, value in result.items() if key not in ("losses", "experiment", "faults")}
            found.update(f"{name}{place}" for place in _numbers(rest, ""))
    return found


def _numbers(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _numbers(below, f"{place}.{key}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _numbers(below, f"{place}[{number}]")
    elif isinstance(value, int | float):
        yield f"{place} {value}"


def _written(folder: Path) -> Counter[str] | None:
    """What results.json counts; None if it is not there or nothing that can be read."""
    try:
        return facts(json.loads((folder / "results.json").read_bytes()))
    except (OSError, ValueError):
        return None


class Base(NamedTuple):
    """A run before it is damaged."""

    name: str
    anew: bool
    """Judged again by this version, so that its results.json is of this schema."""

    def unpack(self, place: Path) -> Path:
        """Its folder, in there."""
        with zipfile.ZipFile(RUNS / f"{self.name}.zip") as bundle:
            bundle.extractall(place)
        (place / "bundle.json").unlink()
        folder = next(path.parent for path in place.glob("*/run.json"))
        if self.anew:
            (folder / "results.json").write_bytes(_judged(self.name))
        return folder


@functools.cache
def _judged(name: str) -> bytes:
    """What this version finds in the run that is not damaged."""
    with tempfile.TemporaryDirectory() as place:
        folder = Base(name, anew=False).unpack(Path(place))
        # Not by `check`, which says nothing of a run that was written when other things counted.
        twinshop(Path(place), "report", folder.name)
        return (folder / "results.json").read_bytes()


@functools.cache
def bases() -> tuple[Base, ...]:
    """All of them."""
    return tuple(Base(name, anew) for name in names() if not are_repeats(name) for anew in (False, True))


# --- one after the other ----------------------------------------------------------------------------------------------


class Damage(NamedTuple):
    """One damaged run."""

    number: int
    way: str
    base: Base
    seed: str

    def tried(self, place: Path) -> Came:
        """Damage it, check it, and say what is wrong with that."""
        rng, ways = Random(self.seed), {**AT_RANDOM, **TARGETED}
        if self.way in BUNDLED:
            shutil.copy(RUNS / f"{self.base.name}.zip", place / "run.zip")
            told = ways[self.way](place / "run.zip", rng)
            changed = _files(place / "run.zip") != _files(RUNS / f"{self.base.name}.zip")
            ended, took_s = _check(place, "run.zip")
            return self._judged(told, ended, took_s, changed=changed)
        folder = self.base.unpack(place)
        written = _written(folder)
        try:
            told = ways[self.way](folder, rng)
        except IndexError:  # nothing in this run can be damaged in that way
            shutil.rmtree(folder)
            other = rng.choice([base for base in bases() if base != self.base])
            return self._replace(base=other, seed=f"{self.seed}'").tried(place)
        ended, took_s = _check(place, folder.name)
        changed = _written(folder) != written
        if not _complains(ended) and ended.code in ENDS_WELL:
            before, after = (facts(json.loads(said)) for said in (_judged(self.base.name), ended.said))
            changed = changed or before != after
        return self._judged(told, ended, took_s, changed=changed)

    def _judged(self, told: str, ended: Ended, took_s: float, *, changed: bool) -> Came:
        wrong = []
        if ended.code not in ENDS_WELL:
            wrong.append(f"exit code {ended.code}")
        if "Traceback" in ended.complained or b"Traceback" in ended.said:
            wrong.append("a traceback")
        if changed and not _complains(ended):
            wrong.append("other counts or losses, and no complaint")
        return Came(self, told, ended.code, _complains(ended), changed, took_s, "; ".join(wrong))


class Came(NamedTuple):
    """What came of a damaged run."""

    damage: Damage
    told: str
    code: int
    noticed: bool
    changed: bool
    """It comes to other counts or losses; of those that cannot be judged any more, nobody asks."""
    took_s: float
    wrong: str


def _complains(ended: Ended) -> bool:
    """An error that names what is wrong; or there is nothing that could agree."""
    return ended.complained.startswith("twinshop: ") or NO_RESULTS in ended.complained


def _check(place: Path, path: str) -> tuple[Ended, float]:
    began = time.monotonic()
    with _bound(BOUND_S):
        try:
            ended = twinshop(place, "check", path, "--json")
        except TooLong:
            ended = Ended(-1, b"", "it did not end")
    return ended, time.monotonic() - began


@contextmanager
def _bound(seconds: float) -> Iterator[None]:
    def ring(_signal: int, _frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _files(bundle: Path) -> dict[str, bytes] | None:
    """What is in it; None if it cannot be read."""
    try:
        with zipfile.ZipFile(bundle) as packed:
            return {entry.filename: packed.read(entry) for entry in packed.infolist()}
    except Exception:  # noqa: BLE001 - zipfile raises whatever its parts do
        return None


def drawn(at_random: int, targeted: int, seed: int) -> Iterator[Damage]:
    """The same from the same seed."""
    for ways, count, kind in ((AT_RANDOM, at_random, "random"), (TARGETED, targeted, "targeted")):
        for number in range(count):
            name = f"{seed}/{kind}/{number}"
            yield Damage(number, [*ways][number % len(ways)], Random(name).choice(bases()), name)


def main() -> int:
    """Try them all, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--random", type=int, default=600)
    parser.add_argument("--targeted", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = []
    for damage in drawn(asked.random, asked.targeted, asked.seed):
        with tempfile.TemporaryDirectory() as place:
            found.append(came := damage.tried(Path(place)))
        if came.wrong:
            sys.stdout.write(f"{damage.seed} {damage.way}, {damage.base}: {came.told}: {came.wrong}\n")
            sys.stdout.flush()
    sys.stdout.write(summary(found) + "\n")
    return int(any(came.wrong for came in found))


def summary(found: list[Came]) -> str:
    """What there is to say of them."""
    codes = Counter(came.code for came in found)
    return (
        f"{len(found)} damages: {sum(came.noticed for came in found)} complained of; exit codes "
        f"{', '.join(f'{code}: {codes[code]}' for code in sorted(codes))}; {sum(bool(came.wrong) for came in found)} "
        f"wrong; the longest check took {max(came.took_s for came in found):.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
