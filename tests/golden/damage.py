"""A hundred ways to damage a recorded run, the same ones each time: what the judge says of a run that is not whole.

Each way takes the run's folder (or its bundle) and a generator of numbers, and says in words what it has done. The
generators are seeded with the variant's own name. One more recorded run, or one more way, deals them anew.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.golden.recorded import RUNS, are_repeats, names

VARIANTS = 100
Way = Callable[[Path, Random], str]


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def _evidence(folder: Path, rng: Random) -> Path:
    """A file of records: the history mostly, the events, or a log that another source has written."""
    logs = sorted(
        path for path in folder.glob("logs/*/*.ndjson") if path.stat().st_size and not path.name.startswith("progress-")
    )
    return rng.choice(
        [folder / "history.ndjson", folder / "history.ndjson", folder / "events.ndjson", rng.choice(logs)]
    )


def _named(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def drop_record(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    lines = _lines(path)
    at = rng.randrange(len(lines))
    path.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    return f"{_named(path, folder)} lacks line {at + 1}"


def drop_many(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    lines = _lines(path)
    start = rng.randrange(len(lines) // 2)
    path.write_bytes(b"".join(lines[:start] + lines[start + len(lines) // 4 :]))
    return f"{_named(path, folder)} lacks {len(lines) // 4} lines from line {start + 1} on"


def double_record(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    lines = _lines(path)
    at = rng.randrange(len(lines))
    path.write_bytes(b"".join([*lines[: at + 1], *lines[at:]]))
    return f"{_named(path, folder)} has line {at + 1} twice"


def swap_records(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    lines = _lines(path)
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    path.write_bytes(b"".join(lines))
    return f"{_named(path, folder)} has lines {one + 1} and {other + 1} swapped"


def _change(
    path: Path, rng: Random, suits: Callable[[dict[str, Any]], bool], how: Callable[[dict[str, Any]], str]
) -> str:
    """Change one of the records that suit; the others keep their bytes."""
    lines = _lines(path)
    suiting = [at for at, line in enumerate(lines) if suits(json.loads(line))]
    at = rng.choice(suiting)
    record = json.loads(lines[at])
    changed = how(record)
    lines[at] = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    return f"line {at + 1} of {path.name}: {changed}"


def _set(key: str, choose: Callable[[Any], Any]) -> Callable[[dict[str, Any]], str]:
    def change(record: dict[str, Any]) -> str:
        before = record.get(key)
        record[key] = choose(before)
        return f"{key} was {before!r} and is {record[key]!r}"

    return change


def _other(rng: Random, *values: Any) -> Callable[[Any], Any]:
    return lambda before: rng.choice([value for value in values if value != before])


def _in_history(key: str, *values: Any) -> Way:
    """Another value in one record of the history that has one."""
    return lambda folder, rng: _change(
        folder / "history.ndjson", rng, lambda record: key in record, _set(key, _other(rng, *values))
    )


def change_number(folder: Path, rng: Random) -> str:
    key = rng.choice(["planned_us", "sent_us", "done_us"])
    moved = rng.choice([-3_000_000, -1, 250_000, 3_600_000_000])
    return _change(
        folder / "history.ndjson", rng, lambda record: key in record, _set(key, lambda before: before + moved)
    )


def change_type(folder: Path, rng: Random) -> str:
    key = rng.choice(["shopper", "outcome", "sent_us", "node", "status"])
    value = rng.choice([None, "seven", [1], {"a": 1}, 1.5, True])
    return _change(folder / "history.ndjson", rng, lambda record: key in record, _set(key, lambda _before: value))


def drop_key(folder: Path, rng: Random) -> str:
    path = folder / rng.choice(["history.ndjson", "events.ndjson"])
    keys = ["record", "architecture", "shopper", "outcome", "sent_us", "event", "at_us"]
    key = rng.choice([key for key in keys if key.encode() in path.read_bytes()])
    return _change(
        path, rng, lambda record: key in record, lambda record: f"lacks {key}, which was {record.pop(key)!r}"
    )


def unknown_key(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    return _change(path, rng, lambda _record: True, _set("weather", lambda _before: "fine"))


def change_event(folder: Path, rng: Random) -> str:
    key, values = rng.choice(
        [
            ("at_us", (0, -5_000_000, 99_000_000)),
            ("architecture", ("sticky-memory", "elsewhere")),
            ("event", ("node_sample", "fault", "weather")),
            ("phase", ("planned", "injected", "observed", "healed", "observed_healed")),
            ("victim", ("n1", "n2", "n9", "")),
            ("fault", (0, 1, 7, -1)),
            ("kind", ("kill", "scale-out", "weather")),
        ]
    )
    path = folder / "events.ndjson"
    if f'"{key}"'.encode() not in path.read_bytes():
        key, values = "at_us", (0, -5_000_000, 99_000_000)
    return _change(path, rng, lambda record: key in record, _set(key, _other(rng, *values)))


def drop_event(folder: Path, rng: Random) -> str:
    """All events of one kind."""
    path = folder / "events.ndjson"
    lines = _lines(path)
    kinds = sorted({json.loads(line)["event"] for line in lines})
    kind = rng.choice(kinds)
    path.write_bytes(b"".join(line for line in lines if json.loads(line)["event"] != kind))
    return f"events.ndjson lacks every {kind}"


def truncate(folder: Path, rng: Random) -> str:
    path = rng.choice([_evidence(folder, rng), folder / "plan.json", folder / "results.json", folder / "run.json"])
    content = path.read_bytes()
    keep = rng.randrange(len(content))
    path.write_bytes(content[:keep])
    return f"{_named(path, folder)} ends after {keep} bytes"


def flip_bit(folder: Path, rng: Random) -> str:
    path = rng.choice([_evidence(folder, rng), folder / "plan.json", folder / "scenario.toml", folder / "results.json"])
    content = bytearray(path.read_bytes())
    at, bit = rng.randrange(len(content)), rng.randrange(8)
    content[at] ^= 1 << bit
    path.write_bytes(bytes(content))
    return f"{_named(path, folder)} has bit {bit} of byte {at} flipped"


def spoil_line(folder: Path, rng: Random) -> str:
    path = _evidence(folder, rng)
    lines = _lines(path)
    at = rng.randrange(len(lines))
    lines[at] = rng.choice([b"\n", b"null\n", b"{}\n", b"not json\n", b"\xff\xfe\n", lines[at].rstrip() + lines[at]])
    path.write_bytes(b"".join(lines))
    return f"line {at + 1} of {_named(path, folder)} is {lines[at][:24]!r}"


def empty_file(folder: Path, rng: Random) -> str:
    path = rng.choice([_evidence(folder, rng), folder / "plan.json", folder / "scenario.toml", folder / "run.json"])
    path.write_bytes(b"")
    return f"{_named(path, folder)} is empty"


def missing_file(folder: Path, rng: Random) -> str:
    files = ["run.json", "scenario.toml", "plan.json", "history.ndjson", "events.ndjson", "results.json", "report.html"]
    path = rng.choice([*(folder / name for name in files), _evidence(folder, rng)])
    path.unlink()
    return f"there is no {_named(path, folder)}"


def missing_logs(folder: Path, rng: Random) -> str:
    logs = rng.choice(sorted((folder / "logs").iterdir()))
    shutil.rmtree(logs)
    return f"there is no {_named(logs, folder)}"


def _document(path: Path, change: Callable[[dict[str, Any]], str]) -> str:
    document = json.loads(path.read_bytes())
    changed = change(document)
    path.write_bytes(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
    return f"{path.name}: {changed}"


def change_plan(folder: Path, rng: Random) -> str:
    def change(plan: dict[str, Any]) -> str:
        shopper = rng.choice(plan["shoppers"])
        how = rng.choice(["action", "shopper", "time", "window", "fault"])
        if how == "fault" and plan["faults"]:
            plan["faults"][0]["at_ms"] += 1000
            return "its first fault comes a second later"
        if how == "shopper":
            plan["shoppers"].remove(shopper)
            return f"lacks shopper {shopper['shopper']}"
        if how == "window":
            plan["window_ms"] //= 2
            return "its window is half as long"
        at = rng.randrange(len(shopper["actions"]))
        if how == "time":
            shopper["actions"][at]["at_ms"] += 1
            return f"action {at} of shopper {shopper['shopper']} is a millisecond later"
        del shopper["actions"][at]
        return f"lacks action {at} of shopper {shopper['shopper']}"

    return _document(folder / "plan.json", change)


def change_provenance(folder: Path, rng: Random) -> str:
    key, values = rng.choice(
        [
            ("schema", (0, 2, "1")),
            ("run", ("00000000", "", "x y")),
            ("seed", (2, -1)),
            ("shoppers", (1, 0, 1000)),
            ("workers", (2, 0)),
            ("architectures", ([], ["redis"], ["elsewhere"])),
            ("scenario", ("calm", "elsewhere")),
            ("plan_sha256", ("0" * 64, "")),
            ("scenario_sha256", ("0" * 64, "")),
            ("engine", ("docker", "elsewhere")),
        ]
    )
    return _document(folder / "run.json", _set(key, _other(rng, *values)))


def change_scenario(folder: Path, rng: Random) -> str:
    path = folder / "scenario.toml"
    text = path.read_text()
    line = rng.choice(
        [line for line in text.splitlines() if " = " in line and not line.startswith(("question", "story"))]
    )
    new = rng.choice([f"{line.partition(' = ')[0]} = 1", f'{line.partition(" = ")[0]} = "x"', "", f"{line}\n{line}"])
    path.write_text(text.replace(line, new, 1))
    return f"scenario.toml has {new!r} in place of {line!r}"


def change_results(folder: Path, rng: Random) -> str:
    """One number anywhere in them, or a key that nobody knows."""

    def change(results: dict[str, Any]) -> str:
        name = rng.choice(sorted(results["architectures"]))
        of = results["architectures"][name]
        numbers = sorted(key for key, value in of.items() if isinstance(value, int | float | dict))
        key = rng.choice([*numbers, "weather"])
        before = of.get(key)
        of[key] = before + 1 if isinstance(before, int | float) else {"weather": "fine"}
        return f"{name}.{key} is {of[key]!r}"

    return _document(folder / "results.json", change)


def add_file(folder: Path, rng: Random) -> str:
    name = rng.choice(["notes.txt", "logs/elsewhere/access.ndjson", "repeats.json"])
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}\n")
    return f"there is a file {name}"


def rename_architecture(folder: Path, rng: Random) -> str:
    path = folder / "history.ndjson"
    names_there = sorted({json.loads(line)["architecture"] for line in _lines(path)})
    name = rng.choice(names_there)
    path.write_bytes(path.read_bytes().replace(f'"architecture":"{name}"'.encode(), b'"architecture":"elsewhere"'))
    return f"history.ndjson calls {name} elsewhere"


def cut_bundle(bundle: Path, rng: Random) -> str:
    content = bundle.read_bytes()
    keep = rng.choice([0, 10, len(content) // 2, len(content) - 1])
    bundle.write_bytes(content[:keep])
    return f"the bundle ends after {keep if keep < len(content) // 2 else 'the half or more of its'} bytes"


def repack_bundle(bundle: Path, rng: Random) -> str:
    """The same files but for one; the manifest stays as it was, or is itself another."""
    how = rng.choice(["lacks", "adds", "changes", "twice", "manifest", "outside"])
    with zipfile.ZipFile(bundle) as packed:
        files = [(entry.filename, packed.read(entry)) for entry in packed.infolist()]
    history = next(at for at, (name, _content) in enumerate(files) if name.endswith("/history.ndjson"))
    name, content = files[history]
    manifest = next(at for at, (name, _content) in enumerate(files) if name == "bundle.json")
    if how == "lacks":
        del files[history]
    elif how == "adds":
        files.append((name + ".more", b"more"))
    elif how == "changes":
        files[history] = name, content.replace(b'"ok"', b'"OK"')
    elif how == "twice":
        files[manifest] = "bundle.json", files[manifest][1].replace(b'"history.ndjson"', b'"events.ndjson"')
    elif how == "manifest":
        files[manifest] = "bundle.json", files[manifest][1].replace(b'"schema": 1', b'"schema": 99')
    else:
        files[manifest] = "bundle.json", files[manifest][1].replace(b'"history.ndjson"', b'"../history.ndjson"')
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files:
            packed.writestr(zipfile.ZipInfo(name), content)
    return f"the bundle was packed again: {how}"


OF_FOLDERS: dict[str, Way] = {
    "drop a record": drop_record,
    "drop many records": drop_many,
    "double a record": double_record,
    "swap records": swap_records,
    "another outcome": _in_history("outcome", "ok", "failed", "unknown", "not_sent", "lovely"),
    "another node": _in_history("node", "n1", "n2", "n3", "n9", ""),
    "another shopper": _in_history("shopper", 1, 2, 3, 0, 999),
    "another status": _in_history("status", 200, 201, 401, 500, 0, 99999),
    "another user": _in_history("user", "user-0001", "user-0002", "", "nobody"),
    "another action": _in_history("do", "login", "cart", "checkout", "logout", "dance"),
    "another reason": _in_history("why", "plan", "recovery", "audit", "whim"),
    "another article": _in_history("quantity", 2, 3, 0, -1, 10**30),
    "another step": _in_history("step", 0, 1, -5, 400),
    "another request": _in_history("request", "", "0", "35c61fb8a-0001-0001"),
    "another time": change_number,
    "another type": change_type,
    "drop a key": drop_key,
    "unknown key": unknown_key,
    "another event": change_event,
    "drop events": drop_event,
    "truncate": truncate,
    "flip a bit": flip_bit,
    "spoil a line": spoil_line,
    "empty a file": empty_file,
    "missing file": missing_file,
    "missing logs": missing_logs,
    "another plan": change_plan,
    "another provenance": change_provenance,
    "another scenario": change_scenario,
    "other results": change_results,
    "one file more": add_file,
    "another architecture": rename_architecture,
}
OF_BUNDLES: dict[str, Way] = {"cut the bundle": cut_bundle, "pack the bundle again": repack_bundle}
WAYS = {**OF_FOLDERS, **OF_BUNDLES}


class Variant(NamedTuple):
    """One damaged run."""

    name: str
    way: str
    run: str

    def made(self, place: Path) -> tuple[str, str]:
        """Make it in that folder; its path there, and what is damaged."""
        shutil.copy(RUNS / f"{self.run}.zip", place / "run.zip")
        rng = Random(self.name)
        if self.way in OF_BUNDLES:
            return "run.zip", OF_BUNDLES[self.way](place / "run.zip", rng)
        with zipfile.ZipFile(place / "run.zip") as bundle:
            bundle.extractall(place)
        folder = next(path.parent for path in place.glob("*/run.json"))
        (place / "run.zip").unlink()
        (place / "bundle.json").unlink()
        return folder.name, OF_FOLDERS[self.way](folder, rng)


def variants() -> list[Variant]:
    """All of them: the ways in turn, each with another run each time."""
    runs = [name for name in names() if not are_repeats(name)]
    ways = list(WAYS)
    found = []
    for number in range(VARIANTS):
        way = ways[number % len(ways)]
        run = Random(f"{number} {way}").choice(runs)
        found.append(Variant(f"{number:02} {way}: {run}", way, run))
    return found
