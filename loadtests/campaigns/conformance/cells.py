"""What conformance remembers: a cell for each balancer, affinity and event, with what each repeat came to.
`conformance.json`; table, sentences and page are made from this file alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec

from loadtests.campaigns.conformance.people import PeopleCounts
from loadtests.model.run_folder import encode_document, read_versioned
from shared.whole_file import write_whole

SCHEMA = 1
FILE = "conformance.json"
CellPlace = tuple[str, str, str]
"""Where a cell stands: its event, its balancer, its architecture."""


class ConformanceKey(msgspec.Struct, frozen=True):
    """What a cell was made with: repeats of the same key need not be run again."""

    event_sha256: str
    seed: int
    program: str
    """Version of the balancer's."""
    twinshop: str
    configuration_sha256: str = ""
    """Of what we tell the balancer; "" of a cell from before this was kept."""


class ConformanceCell(msgspec.Struct, frozen=True):
    """What one balancer, by one affinity, did to people in one event."""

    event: str
    balancer: str
    architecture: str
    key: ConformanceKey
    repeats: tuple[PeopleCounts, ...] = ()
    runs: tuple[str, ...] = ()
    """The run's folder of each repeat, beside `conformance.json`."""
    why: str = ""
    """Why it is not run: the balancer cannot."""
    failed: str = ""
    """Why the last repeat that was not counted was not."""

    @property
    def place(self) -> CellPlace:
        """Where it stands."""
        return self.event, self.balancer, self.architecture

    @property
    def struck(self) -> bool:
        """Whether there was a node whose people are the measure of what became of them."""
        return any(it.there for it in self.repeats)

    def lacks(self, repeats: int) -> int:
        """How many repeats of so many are still to be run."""
        return 0 if self.why else max(0, repeats - len(self.repeats))


class BalancerColumn(msgspec.Struct, frozen=True):
    """One of the numbers of a cell."""

    name: str
    """Of it in `PeopleCounts`."""
    title: str
    definition: str
    unit: str = "people"
    of_those_there: bool = True
    """Whether it befalls those who were at the node that was struck; else anybody."""

    def values(self, cell: ConformanceCell) -> tuple[float, ...]:
        """Of each repeat that has one."""
        found = (getattr(it, self.name) for it in cell.repeats)
        return tuple(value for value in found if value is not None)

    def compared(self, cell: ConformanceCell) -> tuple[float, ...]:
        """Of each repeat, as a share of those who were at the node that was struck, or of all people if it befalls
        anybody; as it is where no node was struck."""
        found = ((getattr(it, self.name), self._of(it)) for it in cell.repeats)
        return tuple(value / people for value, people in found if value is not None)

    def _of(self, counted: PeopleCounts) -> int:
        # Not the number itself: one balancer deals people out 4, 4, 4 and another 5, 4, 3.
        if not counted.there:
            return 1
        return counted.there if self.of_those_there else counted.shoppers

    def share(self, cell: ConformanceCell) -> str:
        """What is compared, as people read it: "75 %", or the median with the range "75 (50–100) %"."""
        shares = [100 * value for value in self.compared(cell)]
        ends = f" ({min(shares):.0f}–{max(shares):.0f})" if len(set(shares)) > 1 else ""
        return f"{median(shares):.0f}{ends} %"

    def shown(self, cell: ConformanceCell) -> str:
        """The number as people read it: "4", or the median with the range "4 (3–6)"."""
        values = self.values(cell)
        if not values:
            return "–"
        write: Callable[[float], str] = _share if self.unit == "share" else _plain
        # Compared as they are written: a range whose ends read the same would be none.
        middle = write(median(values))
        return middle if len(set(map(write, values))) == 1 else f"{middle} ({write(min(values))}–{write(max(values))})"


def _plain(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


COLUMNS = (
    BalancerColumn("logged_out", "logged out", "Answered as a stranger against their will."),
    BalancerColumn(
        "met_errors",
        "met errors",
        "Were answered nothing, an error (5xx) or a refusal by the balancer, at least once before the audit.",
    ),
    BalancerColumn("trapped", "trapped", "Were sent to a node that was down at least twice in a row."),
    BalancerColumn("trapped_s", "trapped for", "The longest time for which one of them was.", unit="s"),
    BalancerColumn("stalled", "waited", "Waited more than 0.9 s for an answer that then came.", of_those_there=False),
    BalancerColumn(
        "moved", "moved", "Were answered by another node than before, although theirs lived.", of_those_there=False
    ),
    BalancerColumn("again", "out again", "Were logged out at least twice."),
    BalancerColumn("there", "at the node", "Were last answered by the node that was struck, before it was."),
    BalancerColumn("busiest", "at one node", "Were logged in by the node that logged in the most."),
    BalancerColumn("busiest_share", "busiest", "Of all answers, the share of the node that gave the most.", "share"),
    BalancerColumn(
        "new_share",
        "newcomers",
        "Share of those who came after a new node (or while it was a canary) that were sent there.",
        "share",
    ),
)
"""What stands in each cell; the shares only where nobody belongs to a node, and where one was added or was a canary."""
COLUMN = {column.name: column for column in COLUMNS}


class Conformance(msgspec.Struct, frozen=True):
    """`conformance.json`."""

    schema: int = SCHEMA
    twinshop: str = ""
    seed: int = 1
    repeats: int = 5
    shoppers: int = 0
    cells: tuple[ConformanceCell, ...] = ()

    def by_place(self) -> dict[CellPlace, ConformanceCell]:
        """The cells, each under its place."""
        return {cell.place: cell for cell in self.cells}

    @property
    def lacking(self) -> tuple[ConformanceCell, ...]:
        """Cells of which some repeats have not been counted."""
        return tuple(cell for cell in self.cells if cell.lacks(self.repeats))

    def with_cell(self, cell: ConformanceCell) -> Conformance:
        """The same with that cell in its place."""
        found = self.by_place() | {cell.place: cell}
        return msgspec.structs.replace(self, cells=tuple(found[place] for place in sorted(found)))


_decode_conformance = msgspec.json.Decoder(Conformance).decode


def read_conformance(folder: Path) -> Conformance:
    """Read `conformance.json`.

    Raises:
        RunFolderError: it is missing, damaged, or of another schema.
    """
    return read_versioned(
        folder / FILE, _decode_conformance, SCHEMA, "name another folder: twinshop conformance --out DIR"
    )


def write_conformance(folder: Path, known: Conformance) -> None:
    """Write it down at once, so that an end at any moment loses nothing."""
    write_whole(folder / FILE, encode_document(known))
