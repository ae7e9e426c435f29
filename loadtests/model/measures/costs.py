"""What requests and sessions cost."""

from operator import attrgetter
from typing import Any

from loadtests.model.measures import Measure


def _cost(name: str, place: int, label: str, definition: str, **more: Any) -> Measure:
    """A field of `ArchitectureResult.costs`; the report has a line for it wherever it was measured."""
    read = attrgetter(f"costs.{name}")  # the name is the field's, or the first run that is judged says so
    return Measure(name, definition, read, "cost", "Cost", label, terminal="never", place=place, **more)


MEASURES = (
    _cost(
        "requests_per_second",
        70,
        "Answers a second",
        "Answers to planned actions and recoveries, per second of the load window.",
        digits=1,
        better="more",
    ),
    _cost(
        "node_cpu_ms_per_request",
        72,
        "Processor time of the nodes, per answer",
        "Processor time of all nodes, in ms, per answer.",
        headline="processor time per answer, in ms",
        unit="ms",
        digits=3,
    ),
    _cost(
        "node_memory_mb",
        73,
        "Memory of all nodes",
        "Resident memory of all nodes together, in MiB, when it was most.",
        headline="memory of all nodes, in MiB",
        unit="MiB",
        digits=1,
    ),
    _cost(
        "memory_bytes_per_session",
        74,
        "Nodes’ memory per session",
        "By how much the nodes' memory grew, in bytes, per session that they held more "
        "(200 more at least; copies of a session are one).",
        unit="bytes",
    ),
    _cost(
        "store_commands_per_request",
        75,
        "Commands to the session store, per answer",
        "Commands that the session store carried out, per answer; 0 where there is none.",
        headline="commands to the store per answer",
        digits=2,
    ),
    _cost(
        "store_memory_bytes_per_session",
        76,
        "Store’s memory per key",
        "By how much the session store's memory grew, in bytes, per key that it held more (200 more at least).",
        unit="bytes",
    ),
    _cost(
        "cookie_bytes_per_request",
        77,
        "Cookie sent with a request",
        "Bytes of the Cookie header, mean over all requests sent.",
        unit="bytes",
    ),
    _cost(
        "answer_bytes_per_request", 78, "Body of an answer", "Bytes of the body, mean over all answers.", unit="bytes"
    ),
    _cost(
        "busiest_node_share",
        79,
        "Share of the busiest node",
        "The share of all answers that the busiest node gave.",
        headline="share of the busiest node",
        percent=True,
    ),
    _cost(
        "new_node_share",
        80,
        "Share of added nodes, since they were there",
        "The share of answers that nodes gave which were added during the run, since the first of them was observed.",
        headline="share of the added nodes",
        percent=True,
        better="",
    ),
)
