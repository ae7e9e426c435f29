"""The catalogue: enough of it, nothing twice, a picture for each."""

from __future__ import annotations

import re
from pathlib import Path

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
    assert sorted(pictures) == sorted(catalogue.BY_SKU)
