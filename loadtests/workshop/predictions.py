"""What people predicted: `predictions.ndjson` in the round's folder, one line each, on the disk before they see more.

The dashboard writes it, the report reads it. A line that was cut off by a crash was never acknowledged: it is left out.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from loadtests.model.events import LoadStarted, read_events
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import CommittedPrediction
from loadtests.workshop.live.tail import read_through

FILE = "predictions.ndjson"

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(CommittedPrediction)


def read_predictions(folder: Path) -> tuple[CommittedPrediction, ...]:
    """All predictions of a round, in the order in which they were committed; none if there is no such file."""
    return tuple(read_through(folder / FILE, _decoder))


def append_prediction(folder: Path, prediction: CommittedPrediction) -> None:
    """Write one, and return only when it is on the disk.

    Raises:
        OSError: it could not be written; of a line that was begun nothing is read.
    """
    handle = os.open(folder / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        # A line that a crash cut off is ended first, or this one would be lost with it.
        line = (b"" if _ends_whole(handle) else b"\n") + _encode(prediction) + b"\n"
        if os.write(handle, line) < len(line):  # a full disk: the next one ends the half line
            raise OSError(f"{FILE}: only a part of a line could be written")
        os.fsync(handle)  # on the disk before they are shown anything
    finally:
        os.close(handle)


def begun_us(run: RunFolder) -> int | None:
    """When people began to shop, microseconds since 1970; None if nobody did."""
    starts = (event.epoch_us for event in read_events(run.events) if isinstance(event, LoadStarted))
    return min(starts, default=None)


def tally(predictions: Iterable[CommittedPrediction], question: str) -> dict[str, int]:
    """How many gave each answer to a question: numbers in their order, then words."""
    counts = Counter(prediction.answers[question] for prediction in predictions if question in prediction.answers)
    return dict(sorted(counts.items(), key=lambda pair: _order(pair[0])))


def _ends_whole(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def _order(answer: str) -> tuple[int, float, str]:
    try:
        return 0, float(answer), answer
    except ValueError:
        return 1, 0.0, answer
