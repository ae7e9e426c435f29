"""Numbers that texts quote and that no round has to be played for: the measured matrix, and the episodes' own.

node-kill/redis           what docs/explanation/measured.md says of that scenario and architecture
node-kill/shoppers        of the scenario
minutes/2, shoppers/2, seconds/2     of episode 2
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loadtests.planning.scenario_file import all_scenarios
from loadtests.workshop.episode_file import load_episodes

_SCENARIO = re.compile(r"\[([a-z0-9-]+)\]\(")
_MEASURED = re.compile(r"\d[\d,]*(?:\.\d+)?(?=\s)")


def known_numbers(measured_page: str) -> dict[str, float]:
    """All of them, by name; `measured_page` is the text of docs/explanation/measured.md."""
    found = dict(_cells(measured_page))
    for scenario in all_scenarios():
        found[f"{scenario.name}/shoppers"] = float(scenario.load.shoppers)
    for episode in load_episodes():
        found[f"minutes/{episode.number}"] = float(episode.minutes)
        found[f"shoppers/{episode.number}"] = float(episode.scenario.load.shoppers)
        found[f"seconds/{episode.number}"] = episode.scenario.load.seconds
    return found


def _cells(page: str) -> Iterator[tuple[str, float]]:
    """The cells of the tables whose first column names scenarios."""
    head: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[:2] == ["scenario", "counted"]:
            head = cells
        elif head and (scenario := _SCENARIO.match(cells[0])) and len(cells) == len(head):
            for architecture, cell in zip(head[2:], cells[2:], strict=True):
                if number := _MEASURED.match(cell):
                    yield f"{scenario[1]}/{architecture}", float(number[0].replace(",", ""))
