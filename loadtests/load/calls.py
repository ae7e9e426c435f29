"""From a call of an application's interface to the request that is sent: its words filled in."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from compose.interface import Call, ShopperInterface
from loadtests.load.answers import HttpRequest

CONTENT_TYPE = "Content-Type"
_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.8"
_WORD = re.compile(r"\{[a-z_]+\}")
Words = Mapping[str, str | int]
"""What the words of a call stand for, by the word in its braces."""


class PreparedCall(NamedTuple):
    """A call taken apart once, not for each request."""

    call: Call
    headers: dict[str, str]
    open_headers: tuple[str, ...]
    """Those in which something is to be filled in."""
    body: bytes | None
    """None: something is to be filled in, there or elsewhere."""

    def request(self, words: Words) -> HttpRequest:
        """With these words filled in."""
        if self.body is not None:
            # A copy: the visit adds to a request's headers.
            return HttpRequest(self.call.method, self.call.path, self.headers.copy(), self.body)
        path = self.call.path
        if "{" in path:
            # Without any safe characters: a value with a slash in it must not become two parts of the path.
            path = filled(path, {word: quote(str(it), safe="") for word, it in words.items()})
        return HttpRequest(self.call.method, path, self.headers_with(words), _body(self.call, words))

    def headers_with(self, words: Words) -> dict[str, str]:
        """A header whose token is not known yet is left out."""
        headers = self.headers.copy()
        for name in self.open_headers:
            if words.get("{token}") or "{token}" not in headers[name]:
                headers[name] = filled(headers[name], words)
            else:
                del headers[name]
        return headers


def prepared_call(call: Call, told: Mapping[str, str]) -> PreparedCall:
    """With the headers that every request is told beside its own."""
    headers = {"Accept": _ACCEPT, **told, **call.headers}
    if call.json is not None:
        headers.setdefault(CONTENT_TYPE, "application/json")
    elif call.form or call.method != "GET":  # an empty form too, as browsers send it
        headers.setdefault(CONTENT_TYPE, "application/x-www-form-urlencoded")
    open_headers = tuple(name for name, text in headers.items() if _WORD.search(text))
    open_ = open_headers or any(map(_WORD.search, (call.path, *call.form.values(), repr(call.json))))
    return PreparedCall(call, headers, open_headers, None if open_ else _body(call, {}))


def request_for(interface: ShopperInterface, what: str, **words: str | int) -> HttpRequest:
    """What a visitor of ours sends who is none of the shoppers; `words` without their braces."""
    call = interface.calls.get(what) or interface.account[what]
    return prepared_call(call, interface.headers).request({f"{{{word}}}": value for word, value in words.items()})


def filled(text: str, words: Words) -> str:
    """The text with its words filled in, as far as they are known."""
    return _WORD.sub(lambda found: str(words.get(found[0], found[0])), text) if "{" in text else text


def _body(call: Call, words: Words) -> bytes:
    if call.json is not None:
        return msgspec.json.encode(_filled_json(call.json, words))
    return urlencode({name: filled(text, words) for name, text in call.form.items()}).encode() if call.form else b""


def _filled_json(value: Any, words: Words) -> Any:
    """A whole text that is one word is what that stands for: a number stays one."""
    if isinstance(value, str):
        return words[value] if value in words else filled(value, words)
    if isinstance(value, Mapping):
        return {key: _filled_json(each, words) for key, each in value.items()}
    return [_filled_json(each, words) for each in value] if isinstance(value, list) else value
