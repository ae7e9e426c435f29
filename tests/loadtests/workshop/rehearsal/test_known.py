"""Numbers that texts quote and that need no round."""

from __future__ import annotations

from pathlib import Path

from loadtests.workshop.rehearsal.lesson_pages import known_numbers

MEASURED = Path(__file__).parents[4] / "docs" / "explanation" / "measured.md"
PAGE = """\
| scenario | counted | sticky-memory | redis |
| --- | --- | --- | --- |
| [node-kill](../reference/scenarios.md#node-kill) | logged out | 1,020 (at risk = 20) ✓ | – |
| [cost-near](../reference/scenarios.md#cost-near) | p50 ms | 2.9 (> 0) ✓ | 0 ✗ |

|  | claim | verdict | because |
| --- | --- | --- | --- |
| C1 | If | depends | 20 |
"""


def test_cells_of_the_matrix_have_names() -> None:
    known = known_numbers(PAGE)
    assert known["node-kill/sticky-memory"] == 1020
    assert known["cost-near/sticky-memory"] == 2.9
    assert known["cost-near/redis"] == 0
    assert "node-kill/redis" not in known


def test_scenarios_and_episodes_have_numbers_of_their_own() -> None:
    known = known_numbers("")
    assert (known["node-kill/shoppers"], known["minutes/2"], known["seconds/4"]) == (60, 15, 30)


def test_the_page_of_the_docs_can_be_read() -> None:
    known = known_numbers(MEASURED.read_text())
    assert known["node-kill/redis"] == 0
    assert known["replay-after-logout/signed-token"] > 0
    assert len([name for name in known if "/" in name]) > 200
