"""The catalogue: enough of it, nothing twice, a picture for each."""

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
