from __future__ import annotations

import pytest

from shared.toml_places import line_of

TEXT = '''question = "?"
story = """
[load]
shoppers = 1
"""
[load]  # comment
shoppers = 60

[[fault]]
kind = "kill"
[[ fault ]]
"at_s" = 3
[expect."sticky-memory"]
logged_out = "0"
inline = { a = 1 }
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("question", 1),
        ("story", 2),
        ("load", 6),
        ("load.shoppers", 7),
        ("fault[0].kind", 10),
        ("fault[1]", 11),
        ("fault[1].at_s", 12),
        ("expect.sticky-memory.logged_out", 14),
        ("expect.sticky-memory.inline.a", None),
        ("nothing", None),
    ],
)
def test_a_key_is_found_where_it_stands(path: str, line: int | None) -> None:
    assert line_of(TEXT, path) == line
