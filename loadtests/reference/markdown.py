"""Tables and pages in Markdown."""

from collections.abc import Iterable, Sequence

from loadtests.report.tables import Markdown, Table


def page(title: str, about: str, *parts: str) -> str:
    """A whole page, with the remark that it is made."""
    made = "<!-- Made by `python -m loadtests.reference`: change the source, not this page. -->"
    return "\n\n".join([f"# {title}", made, about, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty if there are no rows."""
    return Markdown().write(Table(tuple(heads), tuple(map(tuple, rows))))


def code(text: str) -> str:
    """A name or a value."""
    return f"`{text}`" if text else ""
