"""A finished run told again, file by file as it grew: for tests of whatever reads a round while it goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from loadtests.load.load_process import merge_histories
from loadtests.model.events import Event, LoadStarted, read_events
from loadtests.model.history import Exchange, Record, encode_records, read_history
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import Guest, Round, RoundSide

WORKERS = 2


def round_of(folder: Path, left: str = "sticky-memory", right: str = "redis", **fields: object) -> Round:
    """The round that a run folder of these two would be; accounts 61 and 62 are guests'."""
    sides = tuple(
        RoundSide(
            side, name, name.endswith("memory"), "http://shop.localhost", ("n1", "n2", "n3"),
            ("n1", "n2", "n3", "balancer", *(("store",) if name == "redis" else ())),
            (Guest("user-0061", "x"), Guest("user-0062", "x")),
        )
        for side, name in (("left", left), ("right", right))
    )  # fmt: skip
    return Round(3, "run", folder=str(folder), sides=sides, **{"shoppers": 9, **fields})  # type: ignore[arg-type]


class GrowingRun:
    """Writes into `root` what stood in `source` by a time; by the end, the whole folder is there."""

    def __init__(self, source: RunFolder, root: Path) -> None:
        self.run = RunFolder(root)
        root.mkdir(parents=True)
        for name in ("plan", "scenario", "provenance"):
            shutil.copy(getattr(source, name), getattr(self.run, name))
        self._events: list[Event] = list(read_events(source.events))
        self._records: list[Record] = list(read_history(source.history))
        self.architectures = tuple(dict.fromkeys(event.architecture for event in self._events))
        self.epoch_us = next(event.epoch_us for event in self._events if isinstance(event, LoadStarted))
        self.last_us = max(
            [event.at_us for event in self._events] + [e.done_us for e in self._records if isinstance(e, Exchange)]
        )
        self._until_us = -(10**9)

    def worker_file(self, architecture: str, worker: int) -> Path:
        """What one load process writes."""
        return self.run.logs(architecture) / f"history-{worker}.ndjson"

    def grow(self, until_us: int, *, cut: int = 0) -> None:
        """Write what happened until then; the last `cut` bytes of each load process's file are not there yet."""
        events = [event for event in self._events if self._until_us < event.at_us <= until_us]
        with self.run.events.open("ab") as out:
            out.write(msgspec.json.Encoder().encode_lines(events))
        for name in self.architectures:
            self.run.logs(name).mkdir(parents=True, exist_ok=True)
            for worker in range(WORKERS):
                whole = encode_records(
                    record
                    for record in self._records
                    if isinstance(record, Exchange)
                    and record.architecture == name
                    and record.shopper % WORKERS == worker
                    and record.done_us <= until_us
                )
                path = self.worker_file(name, worker)
                there = path.stat().st_size if path.exists() else 0
                with path.open("ab") as out:
                    out.write(whole[there : max(there, len(whole) - cut)])
        self._until_us = until_us

    def end(self) -> None:
        """Everything is written, the load processes' files are merged and deleted, and the orders are read."""
        self.grow(self.last_us)
        for name in self.architectures:
            parts = [self.worker_file(name, worker) for worker in range(WORKERS)]
            merge_histories(parts, self.run.history)
            for part in parts:
                part.unlink()
            orders = [r for r in self._records if not isinstance(r, Exchange) and r.architecture == name]
            with self.run.history.open("ab") as out:
                out.write(encode_records(orders))
