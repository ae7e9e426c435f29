from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from loadtests.model.plan import address_of
from loadtests.model.scenario import MAX_SHOPPERS

NOBODYS = (ip_network("198.51.100.0/24"), ip_network("198.18.0.0/15"))


def test_everybody_has_one_of_its_own_however_many_they_are() -> None:
    found = [address_of(shopper, 0) for shopper in range(1, MAX_SHOPPERS + 1)]
    assert len(set(found)) == MAX_SHOPPERS
    assert found[:2] == ["198.51.100.1", "198.51.100.2"]
    assert found[253] == "198.51.100.254"


@pytest.mark.parametrize("addresses", [1, 3, 60, 1000])
def test_so_many_addresses_are_shared_evenly(addresses: int) -> None:
    counts = Counter(address_of(shopper, addresses) for shopper in range(1, 6 * addresses + 1))
    assert len(counts) == addresses
    assert set(counts.values()) == {6}


def test_they_belong_to_nobody() -> None:
    assert all(any(ip_address(address_of(each, 0)) in net for net in NOBODYS) for each in (1, 254, 255, MAX_SHOPPERS))
