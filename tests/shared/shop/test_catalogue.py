"""The catalogue: enough of it, nothing twice, a picture for each. Carts of it are made anew and never changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shared.shop.catalogue as catalogue

ART = Path(catalogue.__file__).parent / "static" / "art.svg"


def test_there_is_enough_to_buy() -> None:
    assert len(catalogue.PRODUCTS) >= 24
    assert len({product.name for product in catalogue.PRODUCTS}) == len(catalogue.BY_SKU) == len(catalogue.PRODUCTS)


def test_every_article_can_be_sold() -> None:
    for product in catalogue.PRODUCTS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", product.sku)
        assert product.price_cents > 0
        assert product.blurb.endswith(".")
        assert product in catalogue.SHELVES[product.shelf]


def test_every_article_has_a_picture_and_every_picture_an_article() -> None:
    pictures = re.findall(r'<symbol id="([^"]+)"', ART.read_text())
    assert sorted(pictures) == sorted([*catalogue.BY_SKU, catalogue.ENGRAVED])


@pytest.mark.parametrize("words", ["birthday", "0123456789abcdef01234567", "to-ann-and-bob", "--------"])
def test_mugs_are_made_to_order(words: str) -> None:
    mug = catalogue.product_of(f"engraved-{words}")
    assert mug is not None
    assert (mug.name, mug.price_cents, mug.picture) == (f"Engraved mug: {words}", 1500, "engraved")
    assert catalogue.price_cents(mug.sku) == 1500


@pytest.mark.parametrize(
    "sku", ["engraved-", "engraved-7-chars"[:-1], "engraved-" + "x" * 25, "engraved-BIRTHDAY", "engraved"]
)
def test_not_everything_can_be_engraved(sku: str) -> None:
    assert catalogue.product_of(sku) is None
    with pytest.raises(KeyError):
        catalogue.price_cents(sku)


def test_what_is_on_a_shelf_is_found_like_what_is_not() -> None:
    assert catalogue.products_of(["acorn", "engraved-birthday", "nothing"]).keys() == {"acorn", "engraved-birthday"}
    assert catalogue.BY_SKU["acorn"].picture == "acorn"


def test_adding_and_removing_leave_the_old_cart_alone() -> None:
    old = {"acorn": 1}
    assert catalogue.added(old, "acorn", 2) == {"acorn": 3}
    assert catalogue.added(old, "bell", 99) == {"acorn": 1, "bell": 99}
    assert catalogue.without(old, "acorn") == {}
    assert catalogue.without(old, "bell") == old
    assert old == {"acorn": 1}


@pytest.mark.parametrize("quantity", [0, -5, 100])
def test_quantities_have_bounds(quantity: int) -> None:
    with pytest.raises(ValueError, match="1 to 99"):
        catalogue.added({}, "acorn", quantity)


def test_a_cart_has_bounds() -> None:
    assert catalogue.added({"acorn": 990}, "acorn", 9) == {"acorn": 999}
    with pytest.raises(ValueError, match="999"):
        catalogue.added({"acorn": 990}, "acorn", 10)


def test_a_cart_grows_until_it_is_full() -> None:
    full = {f"engraved-{number:08d}": 1 for number in range(catalogue.MOST_ARTICLES)}
    with pytest.raises(catalogue.CartFull, match="2000 different"):
        catalogue.added(full, "acorn", 1)
    assert catalogue.added(full, "engraved-00000000", 1)["engraved-00000000"] == 2
    assert len(catalogue.added(catalogue.without(full, "engraved-00000000"), "acorn", 1)) == catalogue.MOST_ARTICLES


def test_what_it_costs() -> None:
    assert catalogue.total_cents({}) == 0
    assert catalogue.total_cents({"acorn": 2, "bell": 1}) == 2 * 95 + 1120
    assert catalogue.total_cents({"acorn": 1, "engraved-birthday": 3}) == 95 + 3 * 1500
