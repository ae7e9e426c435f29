"""The house is easy to see: the rooms that were promised, nothing beside them, no junk rooms, no endless modules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROMISED = {
    "pyproject.toml", "README.md", "stateful_app", "stateless_app", "shared", "loadtests", "compose", "tests", "docs",
}  # fmt: skip
WANTED_BY_TOOLS = {"LICENSE", "Makefile", "requirements.lock", "requirements-statistics.lock", "requirements-dev.lock"}


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of files to look at")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_top_level_is_fixed() -> None:
    top = {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")}
    assert top == PROMISED | WANTED_BY_TOOLS


def test_no_junk_rooms() -> None:
    junk = {"utils", "helpers", "manager", "misc", "common"}
    assert [path for path in tracked() if path.suffix == ".py" and path.stem in junk] == []


def test_modules_stay_small() -> None:
    long = {
        str(path): lines
        for path in tracked()
        if path.suffix == ".py" and (lines := len((ROOT / path).read_text().splitlines())) > 400
    }
    assert long == {}


def modules() -> dict[str, Path]:
    """The product's modules by their dotted names."""
    found = {}
    for path in tracked():
        if path.suffix == ".py" and path.parts[0] in {
            "shared",
            "stateful_app",
            "stateless_app",
            "compose",
            "loadtests",
        }:
            parts = path.with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ROOT / path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Modules of the product that this one imports: at the top, late in a function, or for types alone."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found = whole if whole in known else base
                if found in known:
                    yield found


def lazily_decoded(path: Path) -> Iterator[str]:
    """Types that are named where JSON or MessagePack is decoded: msgspec looks at them there, when it first does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("msgspec.json.decode", "msgspec.msgpack.decode"):
            yield from (ast.unparse(word.value) for word in node.keywords if word.arg == "type")


def test_types_are_decoded_by_decoders_that_are_made_at_import() -> None:
    """Two threads that decode a type for the first time together end the process, and clusters start in two.

    Seen with msgspec 0.22.0, as a segmentation fault of a workshop. `kind`: whoever calls that names the type.
    """
    found = {(name, kind) for name, path in modules().items() for kind in lazily_decoded(path)}
    assert {kind for _, kind in found} == {"kind"}, found
    assert len(found) == 3


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """A circle of imports; none: an empty list."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_circle_not_even_a_late_one() -> None:
    known = modules()
    imports = {name: set(imported(name, path, known)) - {name} for name, path in known.items()}
    assert sum(map(len, imports.values())) > 1000, "the imports were read"
    assert circle_in(imports) == []


def test_a_late_circle_would_be_found(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("from room import other\n")
    other.write_text("def late():\n    from room.one import thing\n    return thing\n")
    known = {"room.one": one, "room.other": other}
    imports = {name: set(imported(name, path, known)) for name, path in known.items()}
    assert set(circle_in(imports)) == {"room.one", "room.other"}


def test_the_law_of_the_rooms_has_no_exemption() -> None:
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.importlinter]")[2]
    assert "exhaustive = true" in contracts
    assert "ignore_imports" not in contracts
    assert "exclude_type_checking_imports" not in contracts


def test_one_name_one_thing() -> None:
    """No public class has the name of another one."""
    named: dict[str, list[str]] = {}
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(module)
    assert len(named) > 300
    assert {name: where for name, where in named.items() if len(where) > 1} == {}
