"""What each recorded run comes to, by which command, and how it is compared with what it came to before."""

from __future__ import annotations

import difflib
import io
import json
import lzma
import shutil
import zipfile
from collections.abc import Iterable
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet
import pytest

from tests.golden.product import Ended, twinshop

HERE = Path(__file__).parent
RUNS = HERE / "runs"
OUTPUTS = HERE / "outputs"
DIFF_LINES = 40
LINE_CHARACTERS = 240
EPISODE_OF = {"workshop-round": "2"}
"""The runs that are rounds of the workshop, and the episode of each."""


class Output(NamedTuple):
    """One golden output: the command that makes it, and the file that it makes; without one, what the command says."""

    words: tuple[str, ...]
    file: str = ""


def _export(form: str, file: str) -> Output:
    return Output(("export", "{run}", "--to", form, "--out", file))


_REPORT = ("report", "{run}")
_CHECK = Output(("check", "{bundle}"))
OF_A_RUN = {
    "results.json": Output(_REPORT, "{run}/results.json"),
    "report.html": Output(_REPORT, "{run}/report.html"),
    "check.txt": _CHECK,
    "actions.csv": Output(("export", "{run}", "--to", "csv", "--out", "csv"), "csv/actions.csv"),
    "losses.csv": Output(("export", "{run}", "--to", "csv", "--out", "csv"), "csv/losses.csv"),
    "actions.parquet": Output(("export", "{run}", "--to", "parquet", "--out", "parquet"), "parquet/actions.parquet"),
    "losses.parquet": Output(("export", "{run}", "--to", "parquet", "--out", "parquet"), "parquet/losses.parquet"),
    "junit.xml": Output(("export", "{bundle}", "--to", "junit")),
    "summary.md": Output(("export", "{bundle}", "--to", "markdown")),
    "badge.svg": Output(("export", "{bundle}", "--to", "badge")),
    "plan.json": Output(("plan", "{scenario}.toml", "--seed", "{seed}", "--shoppers", "{shoppers}", "--json")),
    "plan.txt": Output(("plan", "{scenario}.toml", "--seed", "{seed}", "--shoppers", "{shoppers}")),
}
OF_A_ROUND = {**OF_A_RUN, "shown.txt": Output(("check", "{episode}", "--runs", "opened"))}
OF_REPEATS = {
    "repeats.json": Output(_REPORT, "{run}/repeats.json"),
    "report.html": Output(_REPORT, "{run}/report.html"),
    "check.txt": _CHECK,
}
COMPARED = {
    "same-plan": ("compare", "node-kill.zip", "node-kill-on-docker.zip"),
    "same-plan-json": ("compare", "node-kill.zip", "node-kill-on-docker.zip", "--json"),
    "other-plan": ("compare", "calm.zip", "two-tabs.zip"),
}
"""Runs side by side."""


def names() -> list[str]:
    """The recorded runs."""
    return sorted(bundle.stem for bundle in RUNS.glob("*.zip"))


def are_repeats(name: str) -> bool:
    """It is a bundle of repeats, not of one run."""
    with zipfile.ZipFile(RUNS / f"{name}.zip") as bundle:
        return any(file.endswith("/repeats.json") for file in bundle.namelist())


def outputs_of(name: str) -> dict[str, Output]:
    """The outputs of that recorded run."""
    if are_repeats(name):
        return OF_REPEATS
    return OF_A_ROUND if name in EPISODE_OF else OF_A_RUN


class Recorded:
    """A recorded run, opened in a folder of its own. Each command is carried out once, when it is first asked for."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.place = place
        self._done: dict[tuple[str, ...], Ended] = {}

    @cached_property
    def folder(self) -> Path:
        """The run's folder, made of its bundle by `twinshop open`."""
        shutil.copy(RUNS / f"{self.name}.zip", self.place)
        done = twinshop(self.place, "open", f"{self.name}.zip", "--into", "opened")
        assert done.code == 0, done.complained
        return self.place / done.said.decode().strip()

    @cached_property
    def _words(self) -> dict[str, str]:
        run = self.folder / "run.json"
        asked = json.loads(run.read_bytes()) if run.exists() else {}
        scenario = str(asked.get("scenario"))
        if asked:  # a plan carries the name of its scenario's file
            shutil.copy(self.folder / "scenario.toml", self.place / f"{scenario}.toml")
        return {
            "run": str(self.folder.relative_to(self.place)),
            "bundle": f"{self.name}.zip",
            "scenario": scenario,
            "seed": str(asked.get("seed")),
            "shoppers": str(asked.get("shoppers")),
            "episode": EPISODE_OF.get(self.name, ""),
        }

    def output(self, output: Output) -> bytes:
        """What that output is, now."""
        words = tuple(word.format_map(self._words) for word in output.words)
        if words not in self._done:
            self._done[words] = twinshop(self.place, *words)
        ended = self._done[words]
        if not output.file:
            return transcript(ended)
        assert ended.code == 0, f"twinshop {' '.join(words)}: {ended.complained}"
        return (self.place / output.file.format_map(self._words)).read_bytes()


def transcript(ended: Ended) -> bytes:
    """All that a command has said, and its exit code if that is not 0."""
    parts = [ended.said]
    if ended.complained:
        parts.append(f"--- on standard error\n{ended.complained}".encode())
    if ended.code:
        parts.append(f"--- exit code {ended.code}\n".encode())
    return b"".join(parts)


def agree(golden: Path, found: bytes, *, update: bool) -> None:
    """Compare with the golden file, or write it anew. The test fails if they differ, and shows where."""
    before = lzma.decompress(golden.read_bytes()) if golden.exists() else None
    if before == found:
        return
    if update:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(lzma.compress(found, preset=9 | lzma.PRESET_EXTREME))
        return
    kind = golden.name.removesuffix(".xz").rpartition(".")[2]
    assert before is not None, f"there is no golden {golden.relative_to(HERE)}; write it: pytest --update-golden"
    pytest.fail(f"{golden.relative_to(HERE)} is another one now:\n{difference(before, found, kind)}", pytrace=False)


def difference(before: bytes, found: bytes, kind: str) -> str:
    """The first lines of what differs, for people."""
    told = difflib.unified_diff(_lines(before, kind), _lines(found, kind), "golden", "now", n=1, lineterm="")
    lines = [*islice(told, DIFF_LINES + 1)]
    if not lines:
        return "the same content in other bytes"
    more = ["(and more)"] if len(lines) > DIFF_LINES else []
    return "\n".join([*_shortened(lines[:DIFF_LINES]), *more])


def _lines(content: bytes, kind: str) -> list[str]:
    if kind == "parquet":
        table = pyarrow.parquet.read_table(io.BytesIO(content))
        return [*str(table.schema).splitlines(), *map(str, table.to_pylist())]
    text = content.decode(errors="backslashreplace")
    return (text.replace("><", ">\n<") if kind in ("html", "svg", "xml") else text).splitlines()


def _shortened(lines: list[str]) -> Iterable[str]:
    """Long lines, from a little before the place where a removed one and the one in its place part."""
    for number, line in enumerate(lines):
        twin = next(
            (lines[at] for at in (number + 1, number - 1) if 0 <= at < len(lines) and _pair(line, lines[at])), ""
        )
        parted = next((at for at, (a, b) in enumerate(zip(line[1:], twin[1:], strict=False)) if a != b), 0)
        start = max(0, parted - LINE_CHARACTERS // 2) if len(line) > LINE_CHARACTERS else 0
        cut = line[1 + start : 1 + start + LINE_CHARACTERS]
        yield f"{line[:1]}{'…' if start else ''}{cut}{'…' if len(line) > 1 + start + LINE_CHARACTERS else ''}"


def _pair(one: str, other: str) -> bool:
    return {one[:1], other[:1]} == {"-", "+"}
