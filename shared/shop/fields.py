"""What a client sent: the fields of a form, or of a JSON body."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from flask import request

from shared.shop.answers import JSON, Refused


def sent_fields() -> Mapping[str, object]:
    """The fields of the body; an empty body has none.

    Raises:
        Refused: 400, the body says it is JSON and is not an object.
    """
    if request.mimetype != JSON:
        return request.form
    body = request.get_data()
    if not body:
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "bad_json", f"expected a JSON object: {error}") from error


def text(fields: Mapping[str, object], name: str) -> str:
    """A field that is a text.

    Raises:
        Refused: 400, it is missing or something else.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"bad_{name}", f"expected {name}, a text")
    return value


def whole_number(fields: Mapping[str, object], name: str) -> int:
    """A field that is a whole number; a form can only send it as digits.

    Raises:
        Refused: 400, it is missing or something else.
    """
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if request.mimetype != JSON and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise Refused(400, f"bad_{name}", f"expected {name}, a whole number")
