"""What a request costs the load process, in CPU: a bare Locust user, our client, and that with recording and checks.

    python -m tests.bench.load [--rounds N] [--shoppers N] [--json]

All three send the same requests to the same stand-in shop (in another process), in turns within one process, so that a
busy machine disturbs all alike; the median over the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.loadtests.standins import RUN, standin_shop

ROOT = Path(__file__).parents[2]
RATIO_TARGET = 1.0
CPU_TARGET_US = 250.0
RECORDING_TARGET_US = 2.0


def main() -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--shoppers", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--in-load-process", metavar="URL", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.in_load_process:
        sys.stdout.write(json.dumps(_measure(asked.in_load_process, asked.rounds, asked.shoppers)) + "\n")
        return 0
    found = measure(asked.rounds, asked.shoppers)
    sys.stdout.write((json.dumps(found) if asked.json else _words(found)) + "\n")
    return int(found["ratio"] > RATIO_TARGET or found["full_us"] > CPU_TARGET_US)


def measure(rounds: int = 15, shoppers: int = 10) -> dict[str, float]:
    """The figures, in microseconds of CPU a request; measured in a process of its own, because Locust patches it."""
    with standin_shop() as shop:
        command = [sys.executable, "-m", "tests.bench.load", "--in-load-process", shop.url]
        command += ["--rounds", str(rounds), "--shoppers", str(shoppers)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _words(found: dict[str, float]) -> str:
    return (
        f"bare FastHttpUser               {found['bare_us']:6.0f} µs CPU a request\n"
        f"our client                      {found['client_us']:6.0f} µs\n"
        f"with recording and checks       {found['full_us']:6.0f} µs  (target: at most {CPU_TARGET_US:.0f})\n"
        f"ratio to the bare one           {found['ratio']:6.2f}     (target: at most {RATIO_TARGET})\n"
        f"recording alone                 {found['recording_us']:6.2f} µs  (at most {RECORDING_TARGET_US:.0f})\n"
        f"checks alone                    {found['checks_us']:6.2f} µs\n"
        f"Locust's own statistics         {found['statistics_us']:6.2f} µs\n"
        f"{found['requests']:.0f} requests, {found['rounds']:.0f} rounds"
    )


def _measure(url: str, rounds: int, shoppers: int) -> dict[str, float]:
    """In the load process only."""
    import locust  # noqa: F401, I001  first of all: it patches the process
    from tests.bench.load_kinds import Bench

    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(url, RUN, Path(folder), shoppers)
        kinds = {"bare": bench.bare, "client": bench.client_only, "full": bench.full}
        for kind in kinds.values():
            kind()  # once, so that every import and every first connection is over
        cpu: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(rounds):
            for name, kind in kinds.items():
                cpu[name].append(_cpu_us(kind))
        each = {f"{name}_us": statistics.median(values) for name, values in cpu.items()}
        ratio = statistics.median(full / bare for full, bare in zip(cpu["full"], cpu["bare"], strict=True))
        return {
            **each,
            "ratio": ratio,
            "recording_us": bench.recording_us(),
            "checks_us": bench.checks_us(),
            "statistics_us": bench.statistics_us(),
            "rounds": rounds,
            "requests": bench.requests,
        }


def _cpu_us(kind: object) -> float:
    began = time.process_time()
    requests = kind()  # type: ignore[operator]
    return (time.process_time() - began) * 1e6 / float(requests)


if __name__ == "__main__":
    sys.exit(main())
