"""Whatever store there is, its own file says what its sessions are held by."""

from __future__ import annotations

from typing import get_args

from compose.architectures import Store
from loadtests.session_model.stores import RULES


def test_every_store_has_rules_that_say_in_their_own_words_where_a_session_is() -> None:
    assert set(RULES) == set(get_args(Store))
    # Inherited ones would be another store's.
    said = {name: vars(type(rules)).get("held") for name, rules in RULES.items()}
    assert all(said.values()), said
    assert len(set(said.values())) == len(said)
