"""Takes from an answer what a description points at: by JSON pointer, CSS selector, regular expression, cookie, header.

`AnsweredPage` is one answer; it is parsed at most once, and only if something in it is asked for.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from compose.interface import Extract, Sign

_NOTHING = object()  # not parsed yet; None is what the JSON `null`, and no JSON at all, come to


class AnsweredPage:
    """One answer, to be read."""

    __slots__ = ("_cookies", "_html", "_json", "_text", "arrived", "body", "header", "status")

    def __init__(
        self, status: int, body: bytes, header: Callable[[str], str], cookies: Callable[[], Mapping[str, str]],
        arrived: str = "",
    ) -> None:  # fmt: skip
        self.status = status
        self.arrived = arrived
        """The path that a redirect has led to; "" if none did."""
        self.body = body
        self.header = header
        self._cookies = cookies
        self._text: str | None = None
        self._html: LexborHTMLParser | None = None
        self._json: Any = _NOTHING

    @property
    def text(self) -> str:
        """The body as text."""
        if self._text is None:
            self._text = self.body.decode("utf-8", "replace")
        return self._text

    def take(self, extract: Extract) -> str | None:
        """What stands there; None if nothing does."""
        found = self.take_all(extract)
        return found[0] if found else None

    def take_all(self, extract: Extract) -> list[str]:
        """All that stands there: every match, or every element of a JSON list."""
        if extract.json:
            found = self.at(extract.json)
            return [] if found is None else [str(each) for each in (found if isinstance(found, list) else [found])]
        if extract.css:
            return [text.strip() for text in self._elements(extract.css, extract.attribute) if text is not None]
        if extract.regex:
            return [str(match).strip() for match in re.findall(extract.regex, self.text)]
        one = self._cookies().get(extract.cookie) if extract.cookie else self.header(extract.header)
        return [one] if one else []

    def at(self, pointer: str) -> Any:
        """What the body's JSON has at that pointer; None if it has nothing, or is no JSON."""
        if self._json is _NOTHING:
            try:
                self._json = msgspec.json.decode(self.body)
            except msgspec.DecodeError:
                self._json = None
        document = self._json
        for word in pointer.split("/")[1:]:
            # In this order (RFC 6901): the other way round "~01" would become a slash.
            key = word.replace("~1", "/").replace("~0", "~")
            if isinstance(document, dict):
                document = document.get(key)
            elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
                document = document[int(key)]
            else:
                return None
        return document

    def shows(self, sign: Sign) -> bool:
        """Whether all of that sign holds. A sign that says nothing does not."""
        if not sign:
            return False
        # A client that follows redirects has arrived; for one that does not, the answer says where it would lead.
        leads = self.header("Location") if 300 <= self.status < 400 else self.arrived
        return all(
            (
                not sign.status or self.status == sign.status,
                not sign.redirect or path_of(leads).startswith(sign.redirect),
                not sign.css or bool(self._elements(sign.css, "")),
                not sign.text or sign.text in self.text,
                not sign.json or self.at(sign.json) is not None,
            )
        )

    def _elements(self, selector: str, attribute: str) -> list[str | None]:
        if self._html is None:
            self._html = LexborHTMLParser(self.text)
        found = self._html.css(selector)
        return [node.attributes.get(attribute) if attribute else node.text() for node in found]


def path_of(address: str) -> str:
    """The path and query of an address, absolute or not; without its fragment."""
    rest = address.partition("://")[2]
    return (f"/{rest.partition('/')[2]}" if rest else address).partition("#")[0]


def why_not(extract: Extract) -> str:
    """Why it points nowhere, in words; "" if it is well made."""
    ways = [way for way in ("json", "css", "regex", "cookie", "header") if getattr(extract, way)]
    if len(ways) != 1:
        return f"it has {len(ways)} ways ({', '.join(ways) or 'none'}); give one of json, css, regex, cookie, header"
    if extract.attribute and not extract.css:
        return "an attribute is of an element: give css, too"
    if extract.json and not extract.json.startswith("/"):
        return f'a JSON pointer begins with a slash: "/{extract.json}"'
    if extract.css:
        return bad_selector(extract.css)
    if extract.regex:
        try:
            groups = re.compile(extract.regex).groups
        except re.error as error:
            return f"it is no regular expression: {error}"
        return "" if groups == 1 else f"it has {groups} groups; put brackets around what is to be taken, once"
    return ""


def bad_selector(selector: str) -> str:
    """Why that is no CSS selector, in words; "" if it is."""
    try:
        LexborHTMLParser("<p>").css(selector)
    except SelectolaxError:
        return f"{selector!r} is no CSS selector"
    return ""
