"""From which address a shopper comes, as it tells the balancer (`X-Forwarded-For`).

All addresses are of ranges that belong to nobody: first those for documentation, 198.51.100.1 to .254 (RFC 5737); when
everybody is to have one of its own and these do not suffice, those for benchmarks, 198.18.0.0/15 (RFC 2544).
"""

from __future__ import annotations

from ipaddress import IPv4Address

DOCUMENTED = 254
_DOCUMENTATION = IPv4Address("198.51.100.0")
_BENCHMARKS = IPv4Address("198.18.0.0")


def address_of(shopper: int, addresses: int) -> str:
    """The address of a shopper (1 … U); `addresses`: how many there are in all, 0 for one each."""
    number = (shopper - 1) % addresses + 1 if addresses else shopper
    return str(_DOCUMENTATION + number if number <= DOCUMENTED else _BENCHMARKS + number)
