"""What a session looks like inside, by the version of the shop's code: the versions that a deploy can bring.

Each is real code that reads and writes sessions; what it makes of a session that another one has written is not
arranged. Versions that know of no other do as such code does: a field that is not there is a stranger, and a cart of
another type is taken for what it is not, or is an error.
"""

import json
from collections import Counter
from collections.abc import Mapping, MutableMapping
from typing import Any

from shared.shop.catalogue import Cart


class SessionFormat:
    """The first version: the user's name, and a cart of sku to quantity."""

    user_field = "user"

    def user(self, session: Mapping[str, Any]) -> str:
        """The user's name; "" for a stranger."""
        name: str = session.get(self.user_field, "")
        return name

    def cart(self, session: Mapping[str, Any]) -> Cart:
        """The cart."""
        return dict(session.get("cart", {}))  # of a list or a text this raises: the shopper meets a 500

    def migrate(self, session: MutableMapping[str, Any]) -> None:
        """Write anew what it understands and would itself write otherwise."""

    def packed(self, cart: Cart) -> object:
        """The cart as it is kept. A new object each time: a session does not notice changes inside of one."""
        return cart


class Renamed(SessionFormat):
    """The user's name is kept under another name."""

    user_field = "account"


class Typed(SessionFormat):
    """The cart is a list, with each article as often as it is wanted."""

    def cart(self, session: Mapping[str, Any]) -> Cart:
        """Counted."""
        return dict(Counter(list(session.get("cart", ()))))  # of the first version's, each sku once; of a text, letters

    def packed(self, cart: Cart) -> object:
        """One entry for each unit."""
        return list(Counter(cart).elements())


class Serialized(SessionFormat):
    """The cart is a text: JSON."""

    def cart(self, session: Mapping[str, Any]) -> Cart:
        """Read."""
        return dict(json.loads(session.get("cart", "{}")))  # of anything but a text this raises

    def packed(self, cart: Cart) -> object:
        """Written."""
        return json.dumps(cart)


class ReadsBoth(SessionFormat):
    """First step of a rename: writes as the first version, and reads what the renamed one writes."""

    def user(self, session: Mapping[str, Any]) -> str:
        """Under either name."""
        name: str = session.get(Renamed.user_field) or session.get(SessionFormat.user_field, "")
        return name


class WritesNew(ReadsBoth):
    """Second step: writes as the renamed version, and still reads what the first one wrote.

    Whoever comes meanwhile has a session of the new kind from then on; who does not is a stranger after the third step.
    """

    user_field = Renamed.user_field

    def migrate(self, session: MutableMapping[str, Any]) -> None:
        """Under the new name alone."""
        if SessionFormat.user_field in session:
            session[self.user_field] = session.pop(SessionFormat.user_field)


FIRST = "first"
FORMATS: dict[str, SessionFormat] = {
    FIRST: SessionFormat(),
    "renamed": Renamed(),
    "typed": Typed(),
    "serialized": Serialized(),
    "reads-both": ReadsBoth(),
    "writes-new": WritesNew(),
}
"""By the setting's word."""
