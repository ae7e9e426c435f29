"""Executes the requirements: on each architecture a cluster, in each state all requirements at the same time.

What came of it is told as text, as Markdown, and as one HTML page, in the report's own style.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from compose.architectures import ARCHITECTURES
from compose.cluster import STORE, ClusterSpec, Limits, Observation
from compose.engines.contract import Cluster, Engine
from compose.running import new_run_id
from compose.supervision.ledger import Ledger
from compose.supervision.waiting import wait_for
from loadtests.campaigns.scorecard.requirements import (
    ABSOLUTE_S,
    ACCESS_S,
    IDLE_S,
    REQUIREMENTS,
    CannotBegin,
    Finding,
    ShopDoor,
    Steps,
)
from loadtests.report.shell import PageShell
from loadtests.report.tables import Markdown, Table, Text
from shared.demo_accounts import account_name
from shared.errors import TwinshopError
from shared.whole_file import write_whole

SCHEMA = 1
JSON_FILE, PAGE_FILE, MARKDOWN_FILE = "scorecard.json", "scorecard.html", "scorecard.md"
SHELL = PageShell(Path(__file__).parent, style=("scorecard.css",))
MARKS = {"pass": "pass", "fail": "FAIL", "not applicable": "–"}
STATES = ("calm", "store down", "one node down")
VICTIM, NODES = "n2", 3
WITHIN_S = 30.0
Cells = dict[str, dict[str, Finding]]
"""By state, by the requirement's number."""


class Scorecard(msgspec.Struct, frozen=True):
    """`scorecard.json`."""

    schema: int
    standard: str
    requirements: dict[str, str]
    architectures: dict[str, Cells]


def scorecard_of(cells: dict[str, Cells]) -> Scorecard:
    """The document."""
    asked = {requirement.number: requirement.asks for requirement in REQUIREMENTS}
    return Scorecard(SCHEMA, "OWASP ASVS 5.0, chapter V7", asked, cells)


def score(
    names: Iterable[str], engine: Engine, state: Path, folder: Path, announce: Callable[[str], None]
) -> Scorecard:
    """Try all of them, one architecture after the other.

    Raises:
        As `Engine.start` does.
    """
    cells = {}
    for name in names:
        announce(name)
        cells[name] = _score_one(name, engine, state, folder / name)
    return scorecard_of(cells)


def _score_one(name: str, engine: Engine, state: Path, folder: Path) -> Cells:
    limits = Limits(session_lifetime_s=IDLE_S, session_absolute_s=ABSOLUTE_S, access_lifetime_s=ACCESS_S)
    accounts = 2 * len(STATES) * len(REQUIREMENTS)  # each with a bystander's
    spec = ClusterSpec(new_run_id(), ARCHITECTURES[name], NODES, accounts=accounts, limits=limits)
    with Ledger.open(state, spec.run) as ledger:
        folder.mkdir(parents=True, exist_ok=True)
        cluster = engine.start(spec, folder, ledger)
        try:
            return {word: _in_state(cluster, word, number) for number, word in enumerate(STATES)}
        finally:
            cluster.stop()


def _in_state(cluster: Cluster, word: str, number: int) -> dict[str, Finding]:
    part = {"store down": STORE, "one node down": VICTIM}.get(word, "")
    if part and part not in cluster.parts():
        nothing = Finding("not applicable", f"{cluster.spec.architecture.name} has no {part}")
        return {requirement.number: nothing for requirement in REQUIREMENTS}
    first = 1 + number * len(REQUIREMENTS)  # others in each state: an account that was disabled stays so
    found = execute(ShopDoor(cluster), [account_name(first + n) for n in range(len(REQUIREMENTS))],
                    lambda: _take_down(cluster, part))  # fmt: skip
    if part:
        cluster.start(part)  # the next state begins with all well
        _soon(f"{part} was started and is not in rotation", lambda: cluster.observe(part).in_rotation)
    return found


def _take_down(cluster: Cluster, part: str) -> None:
    if part:
        cluster.kill(part)
        _soon(f"{part} was killed and still answers, or is in rotation", lambda: _is_down(cluster.observe(part)))


def _is_down(seen: Observation) -> bool:
    return not (seen.answers or seen.in_rotation)


def _soon(else_: str, look: Callable[[], bool]) -> None:
    if wait_for(lambda: look() or None, until=time.monotonic() + WITHIN_S) is None:
        raise TwinshopError(else_, why=f"{WITHIN_S:g} s are over", next_step="twinshop scorecard")


def execute(door: ShopDoor, users: list[str], breaks: Callable[[], None]) -> dict[str, Finding]:
    """Each with an account of its own: all as far as they go while all is well, then the break, then the rest."""
    steps = [requirement.steps(door, user) for requirement, user in zip(REQUIREMENTS, users, strict=True)]
    with ThreadPoolExecutor(len(steps)) as pool:  # all at once: most of it is waiting until lifetimes are over
        begun = list(pool.map(_begin, steps))
        breaks()
        ended = list(pool.map(_end, steps, begun))
    return {requirement.number: finding for requirement, finding in zip(REQUIREMENTS, ended, strict=True)}


def _begin(steps: Steps) -> str:
    """Why it could not begin; "" if it did."""
    try:
        next(steps)
    except CannotBegin as why:
        return str(why)
    return ""


def _end(steps: Steps, why_not: str) -> Finding:
    if why_not:
        return Finding("not applicable", why_not)
    try:
        next(steps)
    except StopIteration as done:
        found: Finding = done.value
        return found
    raise AssertionError("a requirement has one break in it")


# --- what came of it --------------------------------------------------------------------------------------------------


def write_scorecard(folder: Path, card: Scorecard) -> tuple[Path, Path]:
    """Write the document, the page, and its tables in Markdown; where the first two are."""
    document, page = folder / JSON_FILE, folder / PAGE_FILE
    write_whole(document, msgspec.json.format(msgspec.json.encode(card)) + b"\n")
    told = [f"**{state.capitalize()}**\n\n{Markdown().write(table)}" for state, table in tables(card).items()]
    write_whole(folder / MARKDOWN_FILE, ("\n\n".join(part.rstrip() for part in told) + "\n").encode())
    failed = {state: _failures(card, state) for state in STATES}
    write_whole(
        page, SHELL.page("scorecard.html.j2", card=card, states=STATES, marks=MARKS, answer=answer(card), failed=failed)
    )
    return document, page


def answer(card: Scorecard) -> str:
    """One sentence: how many cells there are, and how they went."""
    words: list[str] = [
        finding.word for cells in card.architectures.values() for found in cells.values() for finding in found.values()
    ]
    count = Counter(words)
    others = f"{count['fail']} fail, {count['not applicable']} are not applicable"
    return f"{count['pass']} of {len(words)} cells pass, {others}."


def tables(card: Scorecard) -> dict[str, Table]:
    """One for each state: requirements by architectures."""
    return {state: _table(card, state) for state in STATES}


def in_text(card: Scorecard) -> str:
    """For a terminal; the witnesses of what fails below each table."""
    parts = []
    for state, table in tables(card).items():
        parts += [state, Text().write(table), ""]
        parts += [f"  {line}" for line in _failures(card, state)] + [""]
    return "\n".join(parts).rstrip()


def _table(card: Scorecard, state: str) -> Table:
    names = tuple(card.architectures)
    rows = tuple(
        (number, *(MARKS[card.architectures[name][state][number].word] for name in names))
        for number in card.requirements
    )
    return Table(("V7", *names), rows)


def _failures(card: Scorecard, state: str) -> list[str]:
    return [
        f"{number} {name}: {finding.witness}"
        for name, cells in card.architectures.items()
        for number, finding in cells[state].items()
        if finding.word == "fail"
    ]
