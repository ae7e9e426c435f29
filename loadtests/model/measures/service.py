"""How long people waited."""

from loadtests.model.measures import Measure

MEASURES = (
    Measure(
        "seconds_without_service",
        "Summed over shoppers: from the sending of the first planned action that was not ok to the answer of the next.",
        lambda it: it.seconds_without_service,
        sort="latency",
        group="Service",
        label="Without service",
        meaning="Seconds, summed over shoppers, from the sending of the first planned action that was not ok to the "
        "answer of the next one that was, or to the end of the load window.",
        unit="user-s",
        digits=1,
        report="always",
        terminal="always",
        compared=True,
        anchor="without-service",
        counted="of all people together",
        place=60,
    ),
    Measure(
        "p50_ms",
        "Median wait for an answer from its sending, in ms.",
        lambda it: it.latency_ms.raw.p50 or None,  # 0 stands there when nobody was answered
        sort="latency",
        group="Cost",
        label="Median wait",
        headline="median wait, in ms",
        unit="ms",
        digits=2,
        terminal="never",
        place=71,
    ),
    Measure(
        "p95_ms",
        "95 of 100 answers came within so many ms of the sending (nearest rank).",
        lambda it: it.latency_ms.raw.p95 or None,
        sort="latency",
        group="Service",
        label="p95 raw",
        meaning="95 of 100 answers to planned actions took at most this long, from being sent (nearest rank). Leaves "
        "out the time in which a frozen client could not even send, and what takes its time on purpose.",
        headline="wait of the slowest 5 %, in ms",
        unit="ms",
        digits=1,
        report="always",
        terminal="never",
        compared=True,
        anchor="p95-raw",
        counted="95 of 100 answers were faster",
        place=61,
    ),
)
