"""A page as tests look at it: ids, links, and the text within an element. Fails on tags that do not match."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Parsed at once."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._texts: dict[str, list[str]] = {}
        self._all: list[str] = []
        self.feed(html.decode())
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes {self._open[-1:]}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._all.append(data)
        for _, id_ in self._open:
            if id_:
                self._texts.setdefault(id_, []).append(data)

    def _see(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids[value or ""] += 1
            if name == "href":
                self.links.append(value or "")

    def text(self, id_: str = "") -> str:
        """The words within the element of that id, or on the whole page."""
        return " ".join(" ".join(self._texts.get(id_, []) if id_ else self._all).split())

    def exact(self, id_: str) -> str:
        """The same to the letter: nothing put between the parts."""
        return "".join(self._texts.get(id_, []))
