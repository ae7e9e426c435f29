from __future__ import annotations

import pytest

from shared.demo_accounts import account_name, account_number


def test_names_and_numbers_lead_to_each_other() -> None:
    assert [account_name(number) for number in (1, 60, 12345)] == ["user-0001", "user-0060", "user-12345"]
    assert [account_number(account_name(number)) for number in (1, 60, 12345)] == [1, 60, 12345]


@pytest.mark.parametrize("user", ["", "user-1", "user-00001", "user-", "user--001", "admin", "user-0001x", "0001"])
def test_nobody_elses_name_is_a_number(user: str) -> None:
    assert account_number(user) == 0
