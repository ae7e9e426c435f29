"""What the shop sells, and carts of it: things to remember by, and mugs with whatever a customer wants on them.

The mugs are why a cart has no natural end: `engraved-happy-birthday` is as good a sku as any.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec


class Product(msgspec.Struct, frozen=True):
    """One article."""

    sku: str
    name: str
    price_cents: int
    blurb: str
    shelf: str

    @property
    def picture(self) -> str:
        """The name of its symbol in `static/art.svg`."""
        return self.sku if self.sku in BY_SKU else ENGRAVED


_ARTICLES: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    "Write it down": (
        ("notebook", "Pocket notebook", 690, "64 pages that survive a reboot."),
        ("pencil", "Carpenter's pencil", 140, "Writes upside down, in rain, and after lunch."),
        ("sticky-notes", "Sticky notes", 390, "They stay exactly where you put them. Mostly."),
        ("postcard", "Postcard, blank", 120, "State, in transit."),
        ("stamp", "Rubber stamp", 850, "Signed is not sealed."),
        ("map", "Folding map", 980, "Will never fold back the same way."),
        ("bookmark", "Ribbon bookmark", 260, "So you know where you were."),
        ("chalk", "Box of chalk", 310, "For state that may be wiped at any time."),
    ),
    "Keep it safe": (
        ("cookie-tin", "Cookie tin", 1450, "Holds 4,096 bytes. Not one crumb more."),
        ("token", "Brass token", 280, "Good for one ride. Carry it yourself."),
        ("key", "Skeleton key", 720, "Rotate it now and then."),
        ("padlock", "Padlock", 1390, "Optimists need not apply."),
        ("jar", "Preserving jar", 560, "Summer, at room temperature."),
        ("suitcase", "Small suitcase", 6900, "Everything you need, on every journey."),
        ("umbrella", "Umbrella", 2490, "You will leave it somewhere."),
        ("lantern", "Storm lantern", 3850, "Stays on when a node goes out."),
    ),
    "Never forget": (
        ("elephant", "Woollen elephant", 2900, "Remembers you, whoever answers the door."),
        ("goldfish", "Goldfish", 3400, "Attention span: one session."),
        ("string", "String for fingers", 180, "Tie once, wonder all day why."),
        ("camera", "Pinhole camera", 4600, "A snapshot, taken slowly."),
        ("frame", "Picture frame", 1650, "For people you would know anywhere."),
        ("music-box", "Music box", 5200, "Plays the one tune it knows."),
        ("snow-globe", "Snow globe", 2150, "Shake to invalidate."),
        ("acorn", "Acorn", 95, "The long-term store."),
    ),
    "Be on time": (
        ("alarm-clock", "Alarm clock", 3290, "Expires, loudly."),
        ("hourglass", "Hourglass", 1890, "Sixty minutes of session, then turn."),
        ("calendar", "Wall calendar", 1590, "Day 100 looks just like day 1."),
        ("bell", "Counter bell", 1120, "Ring it. Somebody will answer: see the foot of the page."),
    ),
}

SHELVES: dict[str, tuple[Product, ...]] = {
    shelf: tuple(Product(*article, shelf) for article in articles) for shelf, articles in _ARTICLES.items()
}
"""The shop's shelves, in the order in which they stand."""

PRODUCTS: tuple[Product, ...] = tuple(product for shelf in SHELVES.values() for product in shelf)

BY_SKU: dict[str, Product] = {product.sku: product for product in PRODUCTS}

ENGRAVED = "engraved"
"""What the skus of things made to order begin with, and the name of their picture."""
ENGRAVED_CENTS = 1500
_ENGRAVED = re.compile(r"engraved-([a-z0-9-]{8,24})")


def product_of(sku: str) -> Product | None:
    """What is sold under that sku, from a shelf or made to order; None if nothing is."""
    return BY_SKU.get(sku) or _made_to_order(sku)


def products_of(skus: Iterable[str]) -> dict[str, Product]:
    """By sku, those of them that the shop sells."""
    return {sku: product for sku in skus if (product := product_of(sku)) is not None}


def price_cents(sku: str) -> int:
    """What one of it costs.

    Raises:
        KeyError: the shop sells no such thing.
    """
    product = product_of(sku)
    if product is None:
        raise KeyError(sku)
    return product.price_cents


def _made_to_order(sku: str) -> Product | None:
    words = _ENGRAVED.fullmatch(sku)
    if words is None:
        return None
    return Product(sku, f"Engraved mug: {words[1]}", ENGRAVED_CENTS, "Nobody else has this one.", "Made to order")


Cart = dict[str, int]
"""Sku to quantity. It lives in the session, so these functions make new carts and never change one."""

MOST_AT_ONCE = 99
MOST_OF_ONE = 999
MOST_ARTICLES = 2000


class CartFull(ValueError):
    """It holds as many different articles as a cart can."""


def added(cart: Mapping[str, int], sku: str, quantity: int) -> Cart:
    """The cart with so many more of that.

    Raises:
        CartFull: there would be more than 2,000 different articles.
        ValueError: the quantity is not 1 to 99, or there would be more than 999 of it.
    """
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise ValueError(f"expected a quantity of 1 to {MOST_AT_ONCE}")
    total = cart.get(sku, 0) + quantity
    if total > MOST_OF_ONE:
        raise ValueError(f"a cart holds at most {MOST_OF_ONE} of one article")
    if sku not in cart and len(cart) >= MOST_ARTICLES:
        raise CartFull(f"a cart holds at most {MOST_ARTICLES} different articles")
    return {**cart, sku: total}


def without(cart: Mapping[str, int], sku: str) -> Cart:
    """The cart without that."""
    return {kept: quantity for kept, quantity in cart.items() if kept != sku}


def total_cents(cart: Mapping[str, int]) -> int:
    """What the cart costs."""
    return sum(price_cents(sku) * quantity for sku, quantity in cart.items())
