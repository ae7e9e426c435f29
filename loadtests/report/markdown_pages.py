"""Pages in Markdown, made of a room's templates: the words stand there, the tables are of what the program knows."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loadtests.report.tables import Markdown, Table
from shared.plurals import inflected


def markdown_pages(room: Path) -> Environment:
    """The `templates/` of that room; in them, `table(heads, rows)` is a table, and the filter `code` writes a name."""
    pages = Environment(
        loader=FileSystemLoader(room / "templates"),
        undefined=StrictUndefined,  # a misspelt name is an error, and no empty place on the page
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.globals["table"] = table
    pages.filters.update(code=code, inflected=inflected)
    return pages


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty if there are no rows."""
    return Markdown().write(Table(tuple(heads), tuple(map(tuple, rows))))


def code(text: str) -> str:
    """A name or a value."""
    return f"`{text}`" if text else ""
