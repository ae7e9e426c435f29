"""The ledger's entries, and how they are read back: one JSON line each, in `<state>/ledger/<run>.ndjson`.

Reading is forgiving. A ledger is read when something has gone wrong, so a line that is cut off or damaged is counted
and skipped, never an error.
"""

from pathlib import Path

import msgspec

from compose.supervision.process_table import is_alive

SUFFIX = ".ndjson"


class _Entry(msgspec.Struct, frozen=True, tag_field="entry"):
    pass


class Owner(_Entry, frozen=True, tag="owner"):
    """The process that answers for all that follows; when it is dead, recovery may end what it left."""

    pid: int
    born: str


class Kept(_Entry, frozen=True, tag="kept"):
    """From here on the cluster is meant to survive its owner."""


class Intent(_Entry, frozen=True, tag="intent"):
    """A process of that name is about to be started."""

    name: str


class Spawned(_Entry, frozen=True, tag="spawned"):
    """It was started: the leader of a process group of its own."""

    name: str
    pid: int
    born: str


class Ended(_Entry, frozen=True, tag="ended"):
    """It is gone, and so is its group."""

    name: str
    pid: int


class Folder(_Entry, frozen=True, tag="folder"):
    """A folder is about to be made that must not outlive the run."""

    path: str


class Making(_Entry, frozen=True, tag="making"):
    """A container or a network is about to be made; it carries the run's label."""

    name: str
    engine: str
    """The address of the Docker engine; "" is the usual one."""


class Made(_Entry, frozen=True, tag="made"):
    """It is made."""

    name: str


class Broken(_Entry, frozen=True, tag="broken"):
    """Something is about to be broken on purpose: "kill n2"."""

    what: str


Entry = Owner | Kept | Intent | Spawned | Ended | Folder | Making | Made | Broken

_decoder = msgspec.json.Decoder(Entry)


class Page(msgspec.Struct, frozen=True):
    """What a ledger says."""

    run: str
    entries: tuple[Entry, ...]
    damaged: int
    """Lines that could not be read."""

    @property
    def kept(self) -> bool:
        """Whether its cluster is meant to survive its owner."""
        return any(isinstance(entry, Kept) for entry in self.entries)

    @property
    def owner_lives(self) -> bool:
        """Whether the process that opened it still runs. False if that line is damaged: then nobody answers for it."""
        return any(isinstance(entry, Owner) and is_alive(entry.pid, entry.born) for entry in self.entries)

    @property
    def started(self) -> tuple[Spawned, ...]:
        """The processes that were started and not seen to end."""
        # Not by the name alone: a part that was started again has it twice.
        ended = {(entry.name, entry.pid) for entry in self.entries if isinstance(entry, Ended)}
        return tuple(e for e in self.entries if isinstance(e, Spawned) and (e.name, e.pid) not in ended)

    @property
    def unaccounted(self) -> bool:
        """Whether a start was intended and its pid never written: such a process may still be on its way."""
        intents = sum(isinstance(entry, Intent) for entry in self.entries)
        # A line that cannot be read may have been anything, a start among them.
        return bool(self.damaged) or intents > sum(isinstance(entry, Spawned) for entry in self.entries)

    @property
    def container_engines(self) -> tuple[str, ...]:
        """The Docker engines in which things of the run may be."""
        return tuple(dict.fromkeys(entry.engine for entry in self.entries if isinstance(entry, Making)))

    @property
    def still_making(self) -> bool:
        """Whether a container or network was about to be made, and may still be on its way."""
        asked = sum(isinstance(entry, Making) for entry in self.entries)
        return bool(self.damaged) or asked > sum(isinstance(entry, Made) for entry in self.entries)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that must not outlive the run."""
        return tuple(Path(entry.path) for entry in self.entries if isinstance(entry, Folder))


def read_page(path: Path) -> Page:
    """What the ledger in that file says; an empty page if it is gone."""
    try:
        lines = path.read_bytes().splitlines()  # as bytes: damage may be no text, and costs one line only
    except OSError:
        lines = []
    entries: list[Entry] = []
    damaged = 0
    for line in lines:
        try:
            entries.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            damaged += 1
    return Page(path.name.removesuffix(SUFFIX), tuple(entries), damaged)


def drafts(state: Path) -> list[Path]:
    """Ledgers that were about to begin."""
    return [path for path in (state / "ledger").glob(".*") if path.is_file()]


def ledgers(state: Path) -> list[Path]:
    """The ledgers of that state folder, oldest first."""
    found = []
    for path in (state / "ledger").glob(f"[!.]*{SUFFIX}"):
        try:
            # By time and not by name: ids of runs are random.
            found.append((path.stat().st_mtime, path))
        except FileNotFoundError:  # another recovery was quicker
            continue
    return [path for _, path in sorted(found)]
