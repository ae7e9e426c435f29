"""What the twins are asked, and by which headers they name themselves, stands in their contract and in no room of ours.

To `loadtests` they are an application like any other: what it has to know of one stands in `compose.applications`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from compose.applications import SHIPPED
from loadtests.model.history import NOT_ASKED, Do

ROOM = Path(__file__).parents[2] / "loadtests"
IT = SHIPPED.interface
ROUTES = {call.path.split("/")[1] for call in (*IT.calls.values(), *IT.account.values())}
KNOWS = re.compile(rf"/({'|'.join(sorted(ROUTES))})\b.*|{SHIPPED.http.node_header}|{SHIPPED.http.run_header}|/-/.*")
THE_SHOP = ("stateful_app", "stateless_app", "shared.shop", "shared.node", "compose.applications.twins")


def files() -> list[Path]:
    found = sorted(ROOM.rglob("*.py"))
    assert len(found) > 150
    return found


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}." for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (f"{name.name}." for name in node.names)


def test_no_room_names_a_route_of_the_shop_or_a_header_of_its_nodes() -> None:
    assert [(file.name, text) for file in files() for text in texts(file) if KNOWS.fullmatch(text)] == []


def test_no_page_of_the_workshop_names_a_route_of_the_shop() -> None:
    pages = [*ROOM.rglob("*.js"), *ROOM.rglob("*.html")]
    assert len(pages) > 20
    named = re.compile(rf"[\"'`}}]/({'|'.join(sorted(ROUTES))})\b")
    assert [(page.name, found[0]) for page in pages for found in named.finditer(page.read_text())] == []


def test_no_room_imports_a_module_of_the_shop_or_of_the_twins() -> None:
    of_shop = tuple(f"{module}." for module in THE_SHOP)
    assert [(file.name, name) for file in files() for name in imports(file) if name.startswith(of_shop)] == []


def test_everything_that_shoppers_do_and_that_is_sent_can_be_asked_of_the_twins() -> None:
    described: set[Do] = {"remember", "recall", "page"}
    assert set(IT.calls) == set(Do.__args__) - NOT_ASKED - described  # type: ignore[attr-defined]
