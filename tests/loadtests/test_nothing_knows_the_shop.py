"""What the twins are asked, and by which headers they name themselves, stands in their contract and in no room of ours.

But for two who are visitors of the shop itself: the workshop's lesson, and the scorecard, which carries out a standard.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from compose.applications.twins import CALLS, Twins
from loadtests.model.history import NOT_ASKED, Do

ROOM = Path(__file__).parents[2] / "loadtests"
VISITORS = ("workshop", "campaigns/scorecard")
ROUTES = {call.path.split("/")[1] for call in CALLS.values()}
KNOWS = re.compile(rf"/({'|'.join(sorted(ROUTES))})\b.*|{Twins.http.node_header}|{Twins.http.run_header}")


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_room_names_a_route_of_the_shop_or_a_header_of_its_nodes() -> None:
    files = [file for file in ROOM.rglob("*.py") if not str(file.relative_to(ROOM)).startswith(VISITORS)]
    assert len(files) > 150
    assert [(file.name, text) for file in files for text in texts(file) if KNOWS.fullmatch(text)] == []


def test_everything_that_shoppers_do_and_that_is_sent_can_be_asked_of_the_twins() -> None:
    described: set[Do] = {"remember", "recall", "page"}
    assert set(CALLS) == set(Do.__args__) - NOT_ASKED - described  # type: ignore[attr-defined]
