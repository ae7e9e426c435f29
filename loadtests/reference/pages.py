"""Which pages there are, what each is made of, and whether they are up to date."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compose import cluster, description, interface
from loadtests.model import plan, scenario
from loadtests.reference import balancers, parts, scenarios, settings
from loadtests.report.exports.tables import TABLES
from loadtests.report.glossary import words
from loadtests.report.markdown_pages import markdown_pages
from loadtests.running import fault_run
from shared.whole_file import write_whole

FOLDER = Path(__file__).parents[2] / "docs"
MADE = "<!-- Made by `python -m loadtests.reference`: change the source, not this page. -->"
TEMPLATES = markdown_pages(Path(__file__).parent)
PAGES: dict[str, Mapping[str, Any]] = {
    "reference/scenarios.md": {
        "families": scenarios.families, "facts": scenarios.facts, "predictions": scenarios.predictions,
    },
    "reference/faults.md": {"rows": parts.faults},
    "reference/causes.md": {"rows": parts.causes},
    "reference/architectures.md": {"rows": parts.architectures},
    "reference/balancers.md": {
        "can": balancers.CAN, "abilities": balancers.abilities, "balancers": balancers.balancers,
    },
    "reference/checks.md": {"losses": parts.losses, "tallies": parts.tallies},
    "reference/behaviours.md": {"rows": parts.behaviours},
    "reference/settings.md": {
        "settings": settings.settings, "ranged": settings.ranged, "cluster": cluster, "fault_run": fault_run,
        "plan": plan, "scenario": scenario,
    },
    "reference/measures.md": {"rows": parts.measures},
    "reference/exports.md": {"tables": TABLES, "columns": parts.columns},
    "reference/application.md": {
        "keys": settings.keys, "places": settings.places, "file": description, "interface": interface,
    },
    "reference/cli.md": {"helps": parts.helps},
    "reference/glossary.md": {
        "glossary": words(), "losses": parts.losses_and_guarantees, "tallies": parts.tallies,
    },
    "how-to/cures.md": {"cures": scenarios.cures},
}  # fmt: skip
"""What the template of each page, of the same name in `templates`, draws on."""


def page(name: str) -> str:
    """The page of that name, as it should be."""
    return TEMPLATES.get_template(f"{Path(name).name}.j2").render(PAGES[name], made=MADE)


def outdated(folder: Path = FOLDER) -> list[str]:
    """The pages that say something else than the program does, or are missing."""
    return [name for name in PAGES if _read(folder / name) != page(name).encode()]


def write(folder: Path = FOLDER) -> list[str]:
    """Write those that are not up to date; their names."""
    names = outdated(folder)  # and no others, so that a page which says the same keeps its time
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, page(name).encode())
    return names


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
