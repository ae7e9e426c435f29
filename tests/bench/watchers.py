"""A room that watches: does every event arrive, how late, and what does it cost the shops?

    python -m tests.bench.watchers [--minutes N] [--watchers N] [--shoppers N] [--block SECONDS] [--made-up]

Starts `twinshop workshop`, lets people shop, and lets the watchers come and go in blocks that alternate, so that the
shops' latency with and without them comes from one run. Every watcher is cut off each 10 to 30 s and resumes. Ends with
1 if an event did not arrive, or came later than a second for one in a hundred. `--made-up`: a dashboard without shops.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from loadtests.model.history import Exchange
from tests.bench.watched import Watched, made_up, real
from tests.bench.watching import Crowd

BLOCK_S = 5.0
WATCHERS_NICE = 19
"""In a room they have computers of their own."""
SETTLE_S = 0.5
"""At a block's beginning: coming and going is not watching."""
RESAMPLES = 2000
LATEST_MS = 1000.0


class Block(msgspec.Struct, frozen=True):
    """A stretch of time with watchers, or without."""

    watched: bool
    from_us: int
    to_us: int
    """Since people began to shop."""
    cpu: float
    """The dashboard's share of one core."""


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--watchers", type=int, default=60)
    parser.add_argument("--shoppers", type=int, default=24, help="in each shop")
    parser.add_argument("--block", type=float, default=BLOCK_S, help="seconds")
    parser.add_argument("--made-up", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinshop-") as place, _watched(asked, Path(place)) as watched:
        os.nice(WATCHERS_NICE)
        crowd = Crowd(watched.port, watched.cookies(asked.watchers))
        blocks = _take_turns(crowd, watched, asked.minutes * 60, asked.block)
        good = _tell_watchers(crowd, watched.last_id())
        _tell_cpu(blocks)
        for architecture, exchanges in watched.exchanges().items():
            _tell_effect(architecture, blocks, exchanges)
    return 0 if good else 1


def _watched(asked: argparse.Namespace, place: Path) -> AbstractContextManager[Watched]:
    return made_up(place) if asked.made_up else real(place, asked.shoppers)


def _take_turns(crowd: Crowd, watched: Watched, seconds: float, block_s: float) -> list[Block]:
    """Pairs of blocks, each in an order of its own."""
    chance, blocks = random.Random(1), []
    for _ in range(max(1, round(seconds / block_s / 2))):
        pair = [True, False]
        chance.shuffle(pair)
        for watching in pair:
            blocks.append(_block(crowd, watched, watching, block_s))
    crowd.come()
    crowd.watch(time.monotonic() + 2, watched.epoch_us)
    return blocks


def _block(crowd: Crowd, watched: Watched, watching: bool, block_s: float) -> Block:
    (crowd.come if watching else crowd.go)()
    until, used_s = time.monotonic() + block_s, watched.cpu_s()
    begun_us = time.time_ns() // 1000 - watched.epoch_us
    crowd.watch(until, watched.epoch_us)
    if watching:
        crowd.go()
    cpu = (watched.cpu_s() - used_s) / block_s
    return Block(watching, begun_us + int(SETTLE_S * 1e6), begun_us + int(block_s * 1e6), cpu)


def _tell_watchers(crowd: Crowd, last_id: int) -> bool:
    """What the watchers saw; whether it is what was promised."""
    everybody = crowd.watchers
    delays = sorted(delay for watcher in everybody for delay in watcher.delays_ms)
    gaps = sum(len(watcher.gaps) for watcher in everybody)
    pictures = sum(watcher.pictures for watcher in everybody) - len(everybody)
    behind = sum(watcher.last_id is None or watcher.last_id < last_id for watcher in everybody)
    p99 = delays[int(0.99 * len(delays))] if delays else float("inf")
    print(f"watchers    {len(everybody)}, cut off and resumed {sum(it.reconnects for it in everybody):,} times")
    print(
        f"events      {sum(it.events for it in everybody):,} arrived, {gaps} gaps, {pictures} pictures in their place"
    )
    print(f"complete    {len(everybody) - behind} of {len(everybody)} have seen the newest event")
    print(f"delay       p50 {statistics.median(delays or [0]):.0f} ms, p99 {p99:.0f} ms, of {len(delays):,}")
    print(f"            longest {max(delays, default=0):.0f} ms")
    return gaps == pictures == behind == 0 and p99 <= LATEST_MS


def _tell_cpu(blocks: list[Block]) -> None:
    with_them, without = (statistics.mean(it.cpu for it in blocks if it.watched is each) for each in (True, False))
    print(f"dashboard   {100 * with_them:.1f} % of a core watched, {100 * without:.1f} % not")


def _tell_effect(architecture: str, blocks: list[Block], exchanges: list[Exchange]) -> None:
    """The median wait with watchers beside the one without, and how sure that is: pairs of blocks are drawn again."""
    waits = [
        [it.done_us - it.sent_us for it in exchanges if block.from_us <= it.sent_us < block.to_us] for block in blocks
    ]
    pairs = [
        (waits[place + (not blocks[place].watched)], waits[place + blocks[place].watched])
        for place in range(0, len(blocks), 2)
    ]
    chance = random.Random(1)
    drawn = sorted(_effect(chance.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    low, high = drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES)]
    with_them, without = (_pooled(pairs, side) for side in (0, 1))
    print(
        f"{architecture:<17} median {statistics.median(with_them) / 1000:.2f} ms watched ({len(with_them):,}), "
        f"{statistics.median(without) / 1000:.2f} ms not ({len(without):,}): "
        f"{100 * _effect(pairs):+.1f} % (95 %: {100 * low:+.1f} to {100 * high:+.1f} %)"
    )


def _effect(pairs: list[tuple[list[int], list[int]]]) -> float:
    return statistics.median(_pooled(pairs, 0)) / statistics.median(_pooled(pairs, 1)) - 1


def _pooled(pairs: list[tuple[list[int], list[int]]], side: int) -> list[int]:
    return [wait for pair in pairs for wait in pair[side]]


if __name__ == "__main__":
    sys.exit(main())
