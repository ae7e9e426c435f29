"""Does the sentence credit a fault with whom it logged out, and nobody else? Counted anew, from `results.json` alone.

    python -m tests.long.credits FOLDER      (a run, or a folder of runs, as `twinshop matrix --out` leaves it)

`complaints` shares no code with what writes the sentence: it reads the losses in the document, and the sentence word by
word. Every number in it must be said of a set of shoppers that it can count. Exit code: 0 all are right, 1 some are
not, 2 there is no run.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from msgspec import to_builtins

from loadtests.report.exports.judged import JudgedRun, judged_run
from loadtests.report.exports.junit import junit
from loadtests.report.exports.markdown import markdown
from loadtests.report.terminal import summary

CLAIMS_NO_CAUSE = ("After ", "Without any fault, ", "Inconclusive: ", "Nothing was measured.")
NOTHING_PREDICTED = ["the scenario predicts nothing for it"]
HIT = re.compile(r"(\d+)(?: of (\d+) shoppers?)? in ([\w-]+)(?: \(([^)]*)\))?")
BEFORE = re.compile(r"([\w-]+) had already lost (\d+)(?: of (\d+) before)?(?:, and later (\d+) (?:by|for) [\w ]+)?$")
OTHERWISE = re.compile(r"(?:for other (?:or further )?reasons|time logged out) (.+)$")
IN_ALL = re.compile(r"for other (?:or further )?reasons (\d+)")
ALL_TOGETHER = re.compile(r"(\d+) shoppers? in (\d+) of (\d+) architectures?$")
NOBODY = re.compile(r"nobody(?: in (?:(\d+) (?:others?|architectures?)|(.+)))?$")


class People(NamedTuple):
    """Who was logged out in one architecture, by the document's losses."""

    shoppers: int
    out: frozenset[int]
    by_fault: frozenset[int]
    before: frozenset[int]
    at_risk: int
    by_time: bool
    """Whoever no fault logged out, time alone did."""
    shared: frozenset[int]
    """Whom a fault logged out only together with something that is no fault."""

    @property
    def otherwise(self) -> int:
        """How many, for other reasons."""
        return len(self.out - self.by_fault)


def people_in(result: dict[str, Any], *, without_faults: bool) -> People:
    """Count them. Where nothing was broken, the sentence is about all."""
    lost = [loss for loss in result["losses"] if loss["kind"] == "logged_out"]
    began = [fault["injected_us"] for fault in result.get("faults", ()) if fault.get("injected_us") is not None]
    out = frozenset(loss["shopper"] for loss in lost)
    by_fault = frozenset(loss["shopper"] for loss in lost if faults_alone(loss.get("because", ())))
    with_fault = frozenset(
        loss["shopper"] for loss in lost if any("fault" in because for because in loss.get("because", ()))
    )
    before = frozenset(loss["shopper"] for loss in lost if began and loss["at_ms"] * 1000 < min(began))
    by_time = {loss["cause"] for loss in lost if loss["shopper"] not in by_fault} == {"expired"}
    by_it = out if without_faults else by_fault
    return People(result["shoppers"], out, by_it, before, result["at_risk"], by_time, with_fault - by_it)


def faults_alone(because: Iterable[dict[str, Any]]) -> bool:
    """Whether there is an alternative of which each factor is a fault."""
    factors = list(because)
    mixed = {each.get("alternative", 0) for each in factors if "fault" not in each}
    return bool({each.get("alternative", 0) for each in factors} - mixed)


def clear(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The architectures that a sentence may speak of."""
    every = results["architectures"]
    if all(list(result["reasons"]) == NOTHING_PREDICTED for result in every.values()):
        return dict(every)
    return {name: result for name, result in every.items() if result["verdict"] != "inconclusive"}


def complaints(results: dict[str, Any], sentence: str) -> Iterator[str]:
    """Everything in the sentence that the losses do not bear out; and whom it leaves out."""
    opening, found, told = sentence.rstrip(".").partition("logged out ")
    if not found:
        if not sentence.startswith(CLAIMS_NO_CAUSE):
            yield f"neither a logout nor another measure: {sentence!r}"
        return
    nothing_broken = opening == "Without any fault, the shop "
    people = {name: people_in(it, without_faults=nothing_broken) for name, it in clear(results).items()}
    first, *others = told.split("; ")
    yield from _credited(first, people)
    for part in others:
        yield from _beside(part, people)
    said = [part for part in (*re.findall(r"[\w-]+ \([^)]*out before\)", first), *others) if not NOBODY.fullmatch(part)]
    in_all = any(IN_ALL.fullmatch(part) for part in others)
    yield from (
        f"{name}: {them.otherwise} for other reasons are not told"
        for name, them in people.items()
        if them.otherwise and not in_all and not any(name in part for part in said)
    )


def _credited(part: str, people: dict[str, People]) -> Iterator[str]:
    """What stands before the first semicolon: how many the faults logged out, in each architecture."""
    if together := ALL_TOGETHER.fullmatch(part):
        each = [len(them.by_fault) for them in people.values()]
        if [*map(int, together.groups())] != [sum(each), sum(map(bool, each)), len(people)]:
            yield f"{part!r}: {each}"
        return
    if NOBODY.fullmatch(part):
        yield from _nobody(part, people, [them for them in people.values() if them.by_fault])
        return
    said = {name: (int(count), of, note) for count, of, name, note in HIT.findall(part)}
    for name, them in people.items():
        count, of, note = said.pop(name, (0, "", ""))
        if count != len(them.by_fault):
            yield f"{name}: credited with {count}, in the cause of {len(them.by_fault)}"
        if of and int(of) != them.shoppers:
            yield f"{name}: of {of}, not of {them.shoppers}"
        yield from _note(name, note, them)
    yield from (f"{name}: credited, and not measured" for name in said)


def _note(name: str, note: str, them: People) -> Iterator[str]:
    again = len(them.by_fault & them.before)
    if note.startswith("all whose sessions") and not len(them.by_fault) == len(them.out) == them.at_risk:
        yield f"{name}: not all whose sessions they held"
    numbers = [*map(int, re.findall(r"\d+", note))]
    if numbers != [again, len(them.before)][: len(numbers)]:
        yield f"{name}: {note!r}, and {again} of {len(them.before)} were out before and again"


def _beside(part: str, people: dict[str, People]) -> Iterator[str]:
    """One of the parts behind: who was out for other reasons, and where nobody was."""
    if NOBODY.fullmatch(part):
        yield from _nobody(part, people, [])
        return
    told_of = [them for name, them in people.items() if IN_ALL.fullmatch(part) or name in re.findall(r"[\w-]+", part)]
    shared = any(them.shared for them in told_of)
    if ("further" in part and not shared) or (shared and not re.search("further|already lost|^time", part)):
        yield f"{part!r}: {[sorted(them.shared) for them in told_of]} had a fault among their reasons"
    if in_all := IN_ALL.fullmatch(part):
        if int(in_all[1]) != (total := sum(them.otherwise for them in people.values())):
            yield f"{part!r}: {total}"
    elif OTHERWISE.match(part) or "had already lost" in part:
        for each in re.split(r", (?!and later)| and (?!later)", part):
            yield from _otherwise(each, people)


def _otherwise(part: str, people: dict[str, People]) -> Iterator[str]:
    if before := BEFORE.search(part):
        name, lost, of, later = before.groups()
        them = people[name]
        said, true = (int(lost), int(of or them.shoppers)), (len(them.before), them.shoppers)
        after = len(them.out - them.before - them.by_fault)
        if said != true or (of and int(later or 0) != after) or (part.endswith("by time") and not them.by_time):
            yield f"{part!r}: {true}, {after} later"
        return
    for count, _, name, _ in HIT.findall(part):
        if int(count) != people[name].otherwise or (part.startswith("time") and not people[name].by_time):
            yield f"{part!r}: {people[name].otherwise} for other reasons"


def _nobody(part: str, people: dict[str, People], hit: list[People]) -> Iterator[str]:
    """ "nobody" alone credits nobody; with names or a number it says that nobody at all was out there."""
    if hit:
        yield f"{part!r}, and there are {len(hit)} with somebody"
    many, names = NOBODY.fullmatch(part).groups()  # type: ignore[union-attr]
    free = {name for name, them in people.items() if not them.out}
    if (names and set(re.split(r", | or ", names)) != free) or (many and int(many) != len(free)):
        yield f"{part!r}: nobody was in {sorted(free)}"


def surfaces(run: JudgedRun) -> dict[str, str]:
    """The sentence in each place where people read it, as the product writes it there."""
    return {
        "headline": run.results.answer,
        "terminal": summary(run.results, run.folder.root).splitlines()[0],
        "Markdown": in_markdown(markdown(run).decode()),
        "JUnit": in_junit(junit(run)),
    }


def in_markdown(text: str) -> str:
    """The sentence behind the question."""
    (line,) = (line for line in text.splitlines() if line.startswith("**"))
    return re.sub(r"\\(.)", r"\1", line.rpartition("** ")[2])


def in_junit(document: bytes) -> str:
    """The sentence, as its property says it; and it is the output, too."""
    suite = ElementTree.fromstring(document)
    (said,) = (it.get("value", "") for it in suite.iter("property") if it.get("name") == "answer")
    assert said == suite.findtext(".//system-out")
    return said


def main() -> int:
    """Every run below that folder."""
    folders = sorted(path.parent for path in Path(sys.argv[1]).rglob("run.json"))
    wrong = credited = sentences = 0
    for folder in folders:
        recorded = json.loads((folder / "results.json").read_bytes())
        run = judged_run(folder)
        anew = to_builtins(run.results)
        said = [("results.json", recorded, recorded["answer"])]
        said += [(place, anew, sentence) for place, sentence in surfaces(run).items()]
        for place, document, sentence in said:
            sentences += 1
            credited += "logged out " in sentence and not sentence.startswith("Without any fault")
            for complaint in complaints(document, sentence):
                wrong += 1
                sys.stdout.write(f"{folder.name}, {place}: {complaint}\n")
    sys.stdout.write(
        f"{len(folders)} runs, {sentences} sentences, {credited} of them say whom faults logged out: "
        f"{wrong} complaints\n"
    )
    return 2 if not folders else int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
