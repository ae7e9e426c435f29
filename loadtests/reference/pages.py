"""Which pages there are, and whether they are up to date."""

from collections.abc import Callable
from pathlib import Path

from loadtests.reference.balancers import balancers
from loadtests.reference.commands import commands, exports
from loadtests.reference.parts import architectures, behaviours, causes, checks, faults, glossary, measures
from loadtests.reference.scenarios import cures, scenarios
from loadtests.reference.settings import application, settings
from shared.whole_file import write_whole

FOLDER = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "reference/scenarios.md": scenarios,
    "reference/faults.md": faults,
    "reference/causes.md": causes,
    "reference/architectures.md": architectures,
    "reference/balancers.md": balancers,
    "reference/checks.md": checks,
    "reference/behaviours.md": behaviours,
    "reference/settings.md": settings,
    "reference/measures.md": measures,
    "reference/exports.md": exports,
    "reference/application.md": application,
    "reference/cli.md": commands,
    "reference/glossary.md": glossary,
    "how-to/cures.md": cures,
}


def outdated(folder: Path = FOLDER) -> list[str]:
    """The pages that say something else than the program does, or are missing."""
    return [name for name, make in PAGES.items() if _read(folder / name) != make().encode()]


def write(folder: Path = FOLDER) -> list[str]:
    """Write those that are not up to date; their names."""
    names = outdated(folder)  # and no others, so that a page which says the same keeps its time
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, PAGES[name]().encode())
    return names


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
