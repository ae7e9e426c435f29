"""The shell of every page: head, content security policy, colours, style, skip link, footer. One file, no network.

A page is a template that extends `shell.html.j2` and fills its blocks. The same values give the same bytes.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compose.architectures import ARCHITECTURES
from loadtests.report.tables import Html
from shared.plurals import inflected

ROOM = Path(__file__).parent


class PageShell:
    """Renders the pages of a room: its `templates/`, with the report's to draw on."""

    def __init__(
        self, room: Path, *, style: Sequence[str] = (), script: str = "", **filters: Callable[..., object]
    ) -> None:
        """`style`: the room's sheets, behind the report's own. `script`: its script; a page needs none to be read."""
        self._room = room
        self._style = style
        self._script = script
        self._filters = filters

    def page(self, template: str, **values: object) -> bytes:
        """The whole page, UTF-8."""
        style, script = self._texts
        return self.html(
            template,
            style=Markup(style),  # our own files, not values from a run
            style_hash=_hash(style),
            script=Markup(script),
            script_hash=_hash(script),
            **values,
        ).encode()

    def html(self, template: str, **values: object) -> Markup:
        """What that template gives, without the shell: a part of a page."""
        return Markup(self._environment.get_template(template).render(**values))  # escaped by the environment

    # Read when the first page is made, and once: most commands make none, a campaign makes many.
    @cached_property
    def _texts(self) -> tuple[str, str]:
        # Blue is stateless, vermillion stateful (the same in light and dark, as it has its contrast on both); all else
        # is ink. Neither is ever the only sign: a shopper's states differ in thickness, outcomes in pattern, series in
        # dash and mark. `tests/loadtests/report/test_shell.py` proves the contrasts: 3:1 for what is drawn, 4.5:1 for
        # what is read. In one line: whoever reads a page's source looks for something else.
        colours = "".join(map(str.strip, (ROOM / "colours.css").read_text(encoding="utf-8").splitlines()))
        sheets = (ROOM / "report.css", *(self._room / name for name in self._style))
        style = "\n".join((colours, *(sheet.read_text(encoding="utf-8") for sheet in sheets)))
        return style, (self._room / self._script).read_text(encoding="utf-8") if self._script else ""

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            # The room's own first: a template of the report's name takes the place of the report's.
            loader=FileSystemLoader([self._room / "templates", ROOM / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name is an error, and no empty place on the page
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(table=Html().write, inflected=inflected, **self._filters)
        return environment


def side(architecture: str) -> str:
    """The CSS class that gives an architecture of the twins its colour; "": another application's has none.

    Another mark is never needed, since each has its own row or column.
    """
    known = ARCHITECTURES.get(architecture)
    return known.app.removesuffix("_app") if known else ""


def _hash(text: str) -> str:
    """As the content security policy names what it allows."""
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
