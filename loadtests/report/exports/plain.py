"""Text for one line: nothing in it breaks a line, moves a cursor, or turns the direction of reading.

XML cannot hold most control characters, not even escaped, and a page that shows them shows something else than was
written. So they are told by their number: `\\x1b`, `\\u202e`.
"""

import re

_BLANK = re.compile(r"[ \t\r\n]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # breaks, marks, directions
    "\ud800-\udfff\ufffe\uffff]"  # halves of characters, and what is none
)


def one_line(text: str) -> str:
    """The text with single blanks, and with every character that nobody can see told by its number."""
    # Blanks first: line ends and tabs are control characters as well, and would be told by their numbers.
    return _UNSEEN.sub(_number, _BLANK.sub(" ", text).strip(" "))


def _number(unseen: re.Match[str]) -> str:
    code = ord(unseen[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
