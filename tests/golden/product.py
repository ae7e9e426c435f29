"""The only file here that knows the product: `twinshop …`, called in this process: another takes a second to start.

Everything else here works with files and with what a command says, so that a move within the product ends here.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from loadtests.cli import main

INTERNAL_ERROR = 5
SURROUNDINGS = {"NO_COLOR": "1", "COLUMNS": "100"}
"""What an answer could depend on besides the run."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    said: bytes
    complained: str


def twinshop(folder: Path, *words: str) -> Ended:
    """`twinshop …` in that folder. Where the folder lies is replaced by `…` in what it complains."""
    with chdir(folder), patch.dict(os.environ, SURROUNDINGS), _heard() as (said, complained):
        code = main(list(words))
    told = complained.getvalue().decode().replace(f"{folder.resolve()}/", "…/").replace(f"{folder}/", "…/")
    return Ended(code, said.getvalue(), told)


@contextmanager
def _heard() -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """What is written to both outputs meanwhile, as bytes: a table may be binary."""
    said, complained = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(into, "utf-8", newline="", write_through=True) for into in (said, complained))
    with redirect_stdout(out), redirect_stderr(err):
        yield said, complained
    for wrapper in (out, err):
        wrapper.flush()
        wrapper.detach()  # or it would close what was heard
