"""The small mistakes that can be made in a module: operators changed, steps left out."""

from __future__ import annotations

import ast
import difflib
from typing import Literal

import msgspec

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
REMOVED = (ast.Expr, ast.AugAssign, ast.Continue, ast.Break, ast.Raise, ast.Delete)
Kind = Literal["comparison", "arithmetic", "boolean", "constant", "return", "removed", "swapped"]
Came = Literal["killed", "survived", "timed out"]


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
        elif isinstance(node, ast.Call) and _can_swap(node):
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


def _can_swap(call: ast.Call) -> bool:
    """But for the larger and the smaller of several numbers: they are the same in any order."""
    if isinstance(call.func, ast.Name) and call.func.id in ("max", "min"):
        return False
    first_two = [ast.dump(arg) for arg in call.args[:2] if not isinstance(arg, ast.Starred)]
    return len(first_two) == 2 and first_two[0] != first_two[1]
