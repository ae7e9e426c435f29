"""Who is there: the session as the shop uses it. It holds the user's name and the cart, and nothing else of ours."""

from flask import session

from shared.sessions import SessionStore, fingerprint
from shared.shop.answers import not_logged_in
from shared.shop.catalogue import Cart
from shared.shop.counter import counter
from shared.shop.request_notes import current_notes
from shared.shop.session_format import FORMATS, SessionFormat

CART = "cart"
OPENED_US = "opened_us"
"""When the login was, where sessions have an absolute lifetime."""


def known_user() -> str:
    """The user's name, or "" for a stranger."""
    name = _format().user(session)
    return "" if name and _is_over() else name


def _is_over() -> bool:
    """Whether its absolute lifetime is over, however much it is used."""
    lifetime_s = counter().settings.session_absolute_s
    opened_us: int | None = session.get(OPENED_US) if lifetime_s else None
    return opened_us is not None and counter().injection.clock_us() - opened_us >= lifetime_s * 1_000_000


def current_user() -> str:
    """The user's name.

    Raises:
        RequestRefused: 401, the shop does not know who it is.
    """
    user = known_user()
    if not user:
        raise not_logged_in()
    _format().migrate(session)
    return user


def current_cart() -> Cart:
    """The user's cart."""
    return _format().cart(session)


def keep_cart(cart: Cart) -> None:
    """Put the cart into the session."""
    session[CART] = _format().packed(cart)


def begin(store: SessionStore, user: str, *, regenerate: bool = True) -> None:
    """Begin a session for the user, with an empty cart and under a new id.

    Without `regenerate` it keeps the id that the browser came with, which somebody else may have planted there.
    """
    session.clear()
    session.permanent = True
    session[_format().user_field] = user
    keep_cart({})
    if counter().settings.session_absolute_s:
        session[OPENED_US] = counter().injection.clock_us()
    if regenerate:
        store.regenerate()  # not before it holds something: Flask-Session gives no new id to an empty session
    store.opened(user)  # last, under the id that it will keep
    notes = current_notes()
    notes.user = user
    notes.event = ("opened", user, _name(store))


def end(store: SessionStore) -> None:
    """End the session."""
    current_notes().event = ("ended", known_user(), _name(store))  # before it is empty, and nobody's
    session.clear()


def _format() -> SessionFormat:
    """How this version of the shop keeps sessions."""
    return FORMATS[counter().settings.session_format]


def _name(store: SessionStore) -> str:
    session_id = store.session_id()
    return fingerprint(session_id) if session_id else ""
