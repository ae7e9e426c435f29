"""What shoppers ask of an application, and what its answers mean: of a twin and of a described one in the same words.

Walk one item through it: `calls["add"]` says how it is sent; `shows["add"]`, where the answer shows the cart that it is
then in; `stranger` and status 401, how one would know that the application has forgotten whose cart it is.
"""

from typing import Any

import msgspec


class Extract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where in an answer something stands: one of these."""

    json: str = ""
    """A JSON pointer (RFC 6901): "/user/name"."""
    css: str = ""
    """A CSS selector: the text of the first element that it finds, or its `attribute`."""
    attribute: str = ""
    """Beside `css`: the attribute in the place of the text."""
    regex: str = ""
    """A regular expression with one group, searched in the body."""
    cookie: str = ""
    """The value of the cookie of that name, as the browser holds it then."""
    header: str = ""
    """The value of the answer's header of that name."""


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an answer can be told: all that is given must hold."""

    status: int = 0
    """Its HTTP status."""
    redirect: str = ""
    """It redirects to a path that begins so, or it was reached by such a redirect."""
    css: str = ""
    """It has an element that this selector finds."""
    text: str = ""
    """Its body contains this text."""
    json: str = ""
    """Its body is JSON and has something at this pointer; `false` is something, too: for that, `text`."""

    def __bool__(self) -> bool:
        return self != Sign()


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One request: `{user}`, `{password}`, `{value}`, `{csrf}` and `{token}` in it are filled in."""

    send: str
    """Method and path: "POST /login". `{user}`, `{password}`, `{value}`, `{csrf}` and `{token}` may stand in the
    path, in `form`, `json` and `headers`."""
    page: str = ""
    """The path of the page that holds the form: it is fetched first, as by a browser, and `{csrf}` is taken from it."""
    form: dict[str, str] = {}
    """The fields of a form, sent as application/x-www-form-urlencoded."""
    json: dict[str, Any] | None = None
    """Or a JSON body."""
    headers: dict[str, str] = {}
    """Of this request, beside those of every one."""

    @property
    def method(self) -> str:
        """GET, POST, … ."""
        return self.send.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path, with its query."""
        return self.send.partition(" ")[2].strip()


class ShownKeys(msgspec.Struct, frozen=True):
    """The keys under which a JSON object shows what the application knows of the shopper, as far as it does."""

    user: str
    """Their name."""
    cart: str
    """The units of each article, by its name."""
    order: str
    """The order that was made."""
    orders: str
    """All orders, a list of objects; in each the order stands under `order`."""


class ShownPlaces(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an answer shows what the application knows of the shopper; what has no place is not looked for."""

    user: Extract | None = None
    """Their name."""
    values: Extract | None = None
    """What was remembered: texts in which each value names its run and its shopper."""
    keys: ShownKeys | None = None
    """Or all of it in a JSON object; a successful answer that is none cannot be read."""


class ShopperInterface(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can be asked, by action (`loadtests.model.history.Do`), and how answers are read."""

    calls: dict[str, Call]
    """What is sent: `{user}`, `{password}`, `{csrf}` and `{token}` in it are the shopper's, `{value}`, `{sku}`,
    `{quantity}` and `{key}` the action's."""
    shows: dict[str, ShownPlaces]
    """Where answers show something. The answer to any other action is not read."""
    audits: tuple[str, ...]
    """What is looked at last; what comes after the first is looked at only of somebody who is logged in."""
    headers: dict[str, str] = {}
    """Of every request; one whose `{token}` is not known yet is left out."""
    stranger: Sign = Sign()
    """How somebody who is not logged in is answered, beside 401 and a redirect to the page of the login."""
    let_in: Sign = Sign()
    """How a login is answered that went well; nothing: any status that is no error, and not as a stranger."""
    token: Extract | None = None
    """Where in the answer to a login `{token}` stands."""
    csrf: Extract | None = None
    """Where `{csrf}` stands: in the call's `page`, or in a cookie."""
    follows: bool = True
    """Redirects are followed, as by a browser. Otherwise one is no success: a program was to be answered."""
    shows_user: str = "{user}"
    """What stands in the place of the user's name, of each account."""
    keeps_one: bool = False
    """A value that is remembered takes the place of the one before."""
    in_account: bool = False
    """What is remembered belongs to the account: it outlives a logout."""
    account: dict[str, Call] = {}
    """What people can ask beside shopping, about their account; the words that are left open are each call's own."""
    articles: tuple[str, ...] = ()
    """What can be put into a cart."""
    made_to_order: str = ""
    """How the names of articles begin of which there is no end; "": there are none."""
