from __future__ import annotations

import pytest

from shared.plurals import inflected


@pytest.mark.parametrize(("count", "noun", "verb"), [(0, "losses", "were"), (1, "loss", "was"), (2, "losses", "were")])
def test_only_one_is_one(count: int, noun: str, verb: str) -> None:
    assert (inflected("loss", count, "losses"), inflected("was", count, "were")) == (noun, verb)


def test_most_words_take_an_s() -> None:
    assert [inflected("shopper", count) for count in (0, 1, 2)] == ["shoppers", "shopper", "shoppers"]
