"""Versions of the session's code: what each makes of a session that another one has written, in one cookie."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.shop.session_format import FORMATS
from tests.shared.shops import CONTROL_TOKEN, JsonVisitor, Node, node

MUGS = {"acorn": 2, "bell": 1}


def version(folder: Path, name: str) -> Node:
    return node(folder, "token", node=f"n-{name}", session_format=name)


def moved(visitor: JsonVisitor, to: Node) -> JsonVisitor:
    """The same browser, answered by a node of another version."""
    other, cookie = to.visitor(), visitor.client.get_cookie("session")
    assert cookie is not None
    other.client.set_cookie("session", cookie.value)
    return other


def full(shop: Node) -> JsonVisitor:
    visitor = shop.visitor().login()
    for sku, units in MUGS.items():
        assert visitor.add(sku, units).status_code == 200
    return visitor


@pytest.mark.parametrize("name", FORMATS)
def test_each_understands_itself(tmp_path: Path, name: str) -> None:
    visitor = full(version(tmp_path, name))
    assert visitor.cart() == MUGS
    assert visitor.ask("DELETE", "/cart/bell").json == {"cart": {"acorn": 2}}
    assert visitor.checkout().status_code == 201
    assert visitor.cart() == {}


STRANGER, FAILS = 401, 500
MEETS: dict[tuple[str, str], int | dict[str, int]] = {
    ("first", "renamed"): STRANGER,
    ("renamed", "first"): STRANGER,
    ("first", "typed"): {"acorn": 1, "bell": 1},
    ("typed", "first"): FAILS,
    ("first", "serialized"): FAILS,
    ("serialized", "first"): FAILS,
    ("first", "reads-both"): MUGS,
    ("reads-both", "first"): MUGS,
    ("reads-both", "writes-new"): MUGS,
    ("writes-new", "reads-both"): MUGS,
    ("writes-new", "renamed"): MUGS,
    ("renamed", "writes-new"): MUGS,
    ("reads-both", "renamed"): STRANGER,
}


@pytest.mark.parametrize(("wrote", "reads"), MEETS)
def test_what_one_makes_of_anothers(tmp_path: Path, wrote: str, reads: str) -> None:
    answer = moved(full(version(tmp_path, wrote)), version(tmp_path, reads)).get("/cart")
    expected = MEETS[wrote, reads]
    assert (answer.json["cart"] if answer.status_code == 200 else answer.status_code) == expected


def test_whoever_comes_to_the_second_step_has_a_session_of_the_new_kind(tmp_path: Path) -> None:
    visitor = moved(full(version(tmp_path, "first")), version(tmp_path, "writes-new"))
    assert visitor.cart() == MUGS
    assert moved(visitor, version(tmp_path, "renamed")).cart() == MUGS
    assert moved(visitor, version(tmp_path, "first")).get("/cart").status_code == STRANGER


def test_a_node_says_which_version_it_is(tmp_path: Path) -> None:
    told = version(tmp_path, "typed").visitor().get("/-/state", **{"X-Control-Token": CONTROL_TOKEN})
    assert told.json["format"] == "typed"


def test_a_key_of_its_own_is_accepted_by_nobody_else(tmp_path: Path) -> None:
    one, other = (node(tmp_path, "token", node=name, key_per_process=True) for name in ("n1", "n2"))
    visitor = one.visitor().login()
    assert visitor.get("/me").status_code == 200
    assert moved(visitor, other).get("/me").status_code == STRANGER
