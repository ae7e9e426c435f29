"""What repeats have shown: `repeats.json`, a pure function of what was asked and of the run folders beside it.

runs/20261121-120000-node-kill-x20/
  repeats.json                  this
  report.html                   what people read, made from it alone
  20261121-120002-node-kill-1/  a run folder for each block and each control
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.model.results import VerdictWord
from loadtests.model.run_folder import REPEATS, read_versioned
from loadtests.model.scenario import Scenario

Kind = Literal["fault", "no-fault", "placebo", "again"]
"""Of a block. `again`: the first architecture a second time, beside the fault block of the same number."""

REPEATS_SCHEMA = 1
PAGE = "report.html"
# One of each control for so many fault blocks, and at least one: for two architectures a quarter more to run.
CONTROLLED = 10

Word = Literal["larger", "smaller", "no difference shown", "not comparable"]
"""What a comparison says: the first architecture's measure is … the second's."""


class Asked(msgspec.Struct, frozen=True):
    """What somebody asked for, settled before anything was run."""

    scenario: str
    """A name or a path."""
    name: str
    question: str
    headline: str
    faults: tuple[str, ...]
    """Their kinds."""
    architectures: tuple[str, ...]
    repeats: int
    seed: int
    """Of the first block; each following block has the next one."""
    engine: str
    shoppers: int
    workers: int
    measures: tuple[str, ...]
    """What is compared: chosen from the scenario alone, never from the numbers."""
    started: str
    """ISO 8601, UTC."""
    command: tuple[str, ...]
    """Does it again."""
    versions: dict[str, str]
    """Of Twinshop, Python, SciPy, NumPy; and the host."""
    balancer: str = ""
    """By name; empty where nothing of ours is in front, and in repeats of a time when it was not told."""

    @property
    def folder_name(self) -> str:
        """The name of the folder that all of it goes into: `20261121-120000-node-kill-x20`."""
        stamp = self.started.replace("-", "").replace(":", "").replace("T", "-").removesuffix("Z")
        return f"{stamp}-{self.name}-x{self.repeats}"


class Shot(msgspec.Struct, frozen=True):
    """One architecture in one block: one fault, of each measure one number."""

    architecture: str
    verdict: VerdictWord
    values: dict[str, float | None]
    """By measure; None: not measured."""
    doubt: str
    """Why it is not counted as a fault; "" if it is."""
    load_cpu: float
    """Median CPU of the load process, in percent of one core."""
    mismatches: int
    """Requests on which the logs of client, balancer and nodes disagree."""


class Block(msgspec.Struct, frozen=True):
    """One run: all architectures once, under one plan; or a control."""

    number: int
    kind: Kind
    seed: int
    run: str
    """The run's folder, by name; "" if there is none."""
    planned_sha256: str
    """The plan that the scenario, as it was when the repeats began, gives for this block."""
    plan_sha256: str
    """The plan that was carried out."""
    order: tuple[str, ...]
    verdict: VerdictWord
    shots: tuple[Shot, ...]
    """In that order; those not measured to their end are left out."""
    error: str = ""
    """Why it was not measured to its end; "" if it was."""
    fired: bool = False
    """One of the scenario's thresholds (`fail_if`) fired."""
    machine: str = ""
    """Where it was run, of several machines; empty: where the folder lies."""

    def shot(self, architecture: str) -> Shot | None:
        """That architecture's, if it was measured."""
        return next((shot for shot in self.shots if shot.architecture == architecture), None)


class Interval(msgspec.Struct, frozen=True):
    """A mean of faults with its 95 % interval."""

    mean: float
    low: float | None
    """None: fewer than five faults differ from the commonest value, so that no interval of the mean is honest."""
    high: float | None
    commonest: float
    commonest_faults: int
    """In how many faults it came to that."""
    others_at_most: float
    """The share of faults that come to anything else: at most so much (95 %, one-sided)."""


class Comparison(msgspec.Struct, frozen=True):
    """One measure of two architectures, paired by block."""

    measure: str
    first: str
    second: str
    word: Word
    reason: str
    """Why it is not comparable; "" if it is."""
    faults: int
    """Blocks in which both count."""
    first_mean: float | None
    second_mean: float | None
    difference: Interval | None
    """First minus second; None where it is not comparable."""
    p: float | None
    """Two-sided: how often chance alone, with the two exchanged in blocks at random, does at least as much."""
    p_holm: float | None
    """The same, corrected for the number of comparisons."""


class Noise(msgspec.Struct, frozen=True):
    """What the machine alone does to a measure of an architecture: placebo and no fault, which should be the same."""

    architecture: str
    measure: str
    pairs: int
    apart: float | None
    """Mean distance of the two; None if one of them is missing."""
    bound: float
    """More than this is too noisy."""

    @property
    def too_much(self) -> bool:
        """Nothing can be said of this measure of this architecture."""
        return self.apart is None or self.apart > self.bound


class Method(msgspec.Struct, frozen=True):
    """How something was computed: by which function, and who says so."""

    what: str
    how: str
    by: str
    """The function that does it."""
    cited: str


class Repeats(msgspec.Struct, frozen=True):
    """`repeats.json`."""

    schema: int
    asked: Asked
    verdict: VerdictWord
    """The worst of the fault blocks."""
    answer: str
    """One sentence of at most 30 words, made from the numbers. It names no winner."""
    blocks: tuple[Block, ...]
    comparisons: tuple[Comparison, ...]
    """Every measure of every pair."""
    again: tuple[Comparison, ...]
    """The first architecture against itself."""
    noise: tuple[Noise, ...]
    means: dict[str, dict[str, Interval]]
    """By measure and architecture: over its faults that count."""
    least_faults: int
    """Fewer cannot show anything among so many comparisons."""
    methods: tuple[Method, ...]
    interrupted: str = ""
    """Why not everything that was asked for was run; "" if it was."""

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that measured something, by name; one nameless one if all was done in one place."""
        return tuple(sorted({block.machine for block in self.blocks if block.run}))

    @property
    def fired(self) -> bool:
        """A threshold fired in a fault block."""
        return any(block.fired for block in self.of_kind("fault"))

    def of_kind(self, kind: Kind) -> tuple[Block, ...]:
        """The blocks of that kind."""
        return tuple(block for block in self.blocks if block.kind == kind)


_decode_repeats = msgspec.json.Decoder(Repeats).decode


def read_repeats(folder: Path) -> Repeats:
    """Read `repeats.json`.

    Raises:
        RunFolderError: it is missing, damaged, or of another schema.
    """
    return read_versioned(folder / REPEATS, _decode_repeats, REPEATS_SCHEMA, "repeat the scenario again")


def repeats_schema() -> bytes:
    """The JSON Schema of `repeats.json`, as it stands in docs/reference."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Repeats)), indent=2) + b"\n"


# --- the order of blocks and controls ---------------------------------------------------------------------------------


def blocks_asked(architectures: Sequence[str], repeats: int, seed: int) -> tuple[Block, ...]:
    """Every run of the whole, in order, before anything was measured. A control has the seed of its block."""
    controlled = controlled_blocks(repeats)
    found: list[Block] = []
    for block in range(repeats):
        names = in_turn(architectures, block)
        around = [_not_measured(block, "fault", seed, names)]
        if block in controlled:
            again = _not_measured(block, "again", seed, (architectures[0],))
            # After its block and before it in turn: whatever a first run does to a second one is then on both sides.
            around.insert(1 - controlled.index(block) % 2, again)
            around += [_not_measured(block, "no-fault", seed, names), _not_measured(block, "placebo", seed, names)]
        found += around
    return tuple(found)


def _not_measured(block: int, kind: Kind, seed: int, order: tuple[str, ...]) -> Block:
    return Block(block + 1, kind, seed + block, "", "", "", order, "inconclusive", ())


def in_turn(architectures: Sequence[str], block: int) -> tuple[str, ...]:
    """The order of a block, counted from 0."""
    names = tuple(architectures)
    if len(names) == 2:  # ABBA: a machine that grows slower and slower is as unkind to the one as to the other
        return names[::-1] if block % 4 in (1, 2) else names
    # In each round everybody stands once in every place; as every second one runs backwards, over two rounds everybody
    # comes as often before as after everybody else.
    round_, place = divmod(block, len(names))
    rotated = names[place:] + names[:place]
    return rotated[::-1] if round_ % 2 else rotated


def controlled_blocks(repeats: int) -> tuple[int, ...]:
    """The blocks, counted from 0, that the controls stand beside: spread evenly over the whole."""
    count = max(1, repeats // CONTROLLED)
    # The middle of each of so many equal parts: a machine that changes meanwhile is seen as it was throughout.
    return tuple((2 * each + 1) * repeats // (2 * count) for each in range(count))


# --- what is compared -------------------------------------------------------------------------------------------------


def compared(scenario: Scenario, architectures: Sequence[str]) -> tuple[str, ...]:
    """The scenario's headline, what every scenario compares, and whatever it predicts of these architectures."""
    predicted = [measure for name in architectures for measure in scenario.expect.get(name, {})]
    # Few, and the same everywhere: each comparison more makes all others harder to show.
    always = (name for name, measure in MEASURES.items() if measure.compared)
    return tuple(dict.fromkeys((scenario.headline, *always, *predicted)))


def definition(measure: str) -> str:
    """What it means; the name itself if this version of Twinshop does not know it any more."""
    known = MEASURES.get(measure)
    return known.definition if known else measure


def phrase_of(measure: str) -> str:
    """How a sentence calls it."""
    known = MEASURES.get(measure)
    return known.phrase if known else spoken(measure)
