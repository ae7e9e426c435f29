"""The house is easy to see: the rooms that were promised, nothing beside them, no junk rooms, no endless modules."""

from __future__ import annotations

import ast
import builtins
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


POSTPONED = "from __future__ import annotations"


def bound_by(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """Names that a module has once this statement of it was carried out, and its last line; not those for types."""
    end = statement.end_lineno or statement.lineno
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name, end
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (((alias.asname or alias.name).partition(".")[0], end) for alias in statement.names)
    elif not (isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, end
            elif node is not statement and isinstance(node, ast.stmt):
                yield from bound_by(node)


def evaluated(tree: ast.AST, *, late: bool = False) -> Iterator[tuple[ast.expr, bool]]:
    """Annotations that Python evaluates, unless they are postponed; and whether only when a function is called."""
    for node in ast.iter_child_nodes(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = [it.annotation for it in ast.walk(node.args) if isinstance(it, ast.arg)]
            yield from ((it, late) for it in (*told, node.returns) if it is not None)
        elif isinstance(node, ast.AnnAssign) and not late:  # inside of a function a variable's never is
            yield node.annotation, late
        yield from evaluated(node, late=late or is_function)


def has_to_postpone(source: str) -> bool:
    """Whether an annotation names what comes later in the module, or is imported for types alone."""
    tree = ast.parse(source)
    bound: dict[str, int] = {}
    for name, line in (found for statement in tree.body for found in bound_by(statement)):
        bound.setdefault(name, line)
    return any(
        name.id not in bound or (not late and bound[name.id] >= annotation.lineno)
        for annotation, late in evaluated(tree)
        for name in ast.walk(annotation)
        if isinstance(name, ast.Name) and not hasattr(builtins, name.id)
    )


def test_no_module_postpones_its_annotations_for_nothing() -> None:
    """An annotation that only some Python can evaluate (`array[int]`, before 3.12) is written as a text."""
    sources = {name: path.read_text(encoding="utf-8") for name, path in modules().items()}
    postponed = {name: source for name, source in sources.items() if POSTPONED in source.splitlines()}
    assert len(postponed) > 30
    assert [name for name, source in postponed.items() if not has_to_postpone(source)] == []


@pytest.mark.parametrize(
    ("source", "has_to"),
    [
        ("class One:\n    def same(self) -> One: ...", True),
        ("def one(it: Other) -> None: ...\nclass Other: ...", True),
        ("class One:\n    other: Other | None\nclass Other: ...", True),
        ("if TYPE_CHECKING:\n    import numpy as np\ndef one() -> None:\n    def two(it: np.int64): ...", True),
        ("class One: ...\ndef one(it: list[One]) -> One: ...", False),
        ("def one() -> None:\n    it: One = One()\nclass One: ...", False),
        ("try:\n    import tomllib as toml\nexcept ImportError:\n    toml = None\ndef one(it: toml.T): ...", False),
        ("def one() -> None:\n    def two(it: One): ...\nclass One: ...", False),
    ],
)
def test_what_has_to_be_postponed_is_known(source: str, has_to: bool) -> None:
    assert has_to_postpone(source) == has_to
