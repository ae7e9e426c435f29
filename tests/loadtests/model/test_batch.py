"""What a batch says as columns is what its exchanges say one by one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.model.batch import Batch, Kind, Kinds, batch_of
from loadtests.model.history import Exchange
from shared.errors import RunFolderError

COLUMNS = ("shopper", "step", "planned_us", "sent_us", "done_us", "cookie_bytes", "body_bytes")
BYTES = st.integers(0, 9_999)
US = st.integers(-1, 10**12)
EXCHANGES = st.lists(
    st.builds(
        Exchange, st.just("redis"), st.integers(1, 9), st.sampled_from(["", "a-1", "a-2"]),
        st.sampled_from(["plan", "audit"]), st.sampled_from(["cart", "add"]), st.sampled_from(["ok", "failed"]),
        US, US, US, st.integers(-1, 9), cookie_bytes=BYTES, body_bytes=BYTES, status=st.sampled_from([0, 200, 503]),
        node=st.sampled_from(["", "n1", "n2"]), quantity=st.integers(0, 3),
    )
)  # fmt: skip


def is_ok(kind: Kind | Exchange) -> bool:
    return kind.outcome == "ok"


def node(kind: Kind | Exchange) -> str:
    return kind.node


def quantity(kind: Kind | Exchange) -> int:
    return kind.quantity


@given(EXCHANGES, st.integers(1, 9))
def test_columns_and_kinds_are_what_each_says(exchanges: list[Exchange], piece: int) -> None:
    """Also if kinds turn up that were not there when the rule was asked first."""
    kinds = Kinds(Kind)
    for begin in range(0, len(exchanges), piece):
        some = exchanges[begin : begin + piece]
        batch = Batch(some, kinds)
        assert list(batch) == some
        for column in COLUMNS:
            assert getattr(batch, column).tolist() == [getattr(each, column) for each in some]
        assert batch.asked.tolist() == [bool(each.request) for each in some]
        assert batch.where(is_ok).tolist() == [is_ok(each) for each in some]
        assert list(batch.pick(batch.where(is_ok))) == [each for each in some if is_ok(each)]
        assert batch.number(quantity).tolist() == [quantity(each) for each in some]
        assert dict(batch.count(node, batch.where(is_ok))) == Counter(node(each) for each in some if is_ok(each))
        apart = {name: list(batch.pick(marks)) for name, marks in batch.apart(node)}
        assert apart == {name: [each for each in some if node(each) == name] for name in {node(each) for each in some}}


def test_no_exchanges_have_no_kinds() -> None:
    batch = batch_of()
    assert (len(batch), batch.where(is_ok).tolist(), batch.number(quantity).tolist(), list(batch.apart(node))) == (
        0, [], [], [],
    )  # fmt: skip


@pytest.mark.parametrize("field", ["sent_us", "quantity"])
def test_a_number_that_nobody_measured_is_an_error(field: str) -> None:
    exchange = Exchange("redis", 1, "a-1", "plan", "add", "ok", 0, **{field: 10**30})  # type: ignore[arg-type]
    with pytest.raises(RunFolderError, match=f"a number of '{field}' is too large"):
        (batch_of(exchange).number(quantity) if field == "quantity" else batch_of(exchange).sent_us).tolist()
