"""The same runs, judged by another checkout and by this one: which losses have another cause, and is any loss new?

    python -m tests.bench.judged_anew OTHER_CHECKOUT runs/matrix

OTHER_CHECKOUT has an installation of its own (`make install`) and may be of any version that reads these runs. Each run
is judged from its evidence by both, in processes of their own; nothing is written. Prints each change of a cause with
how often it is, one example, and `unexplained` by both; then the runs that the other one cannot read (architectures,
faults or measures that it does not have). Exit code 1 if one finds a loss that the other does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

JUDGE = """\
import sys
from pathlib import Path
import msgspec
from loadtests.judging.judge import judge
if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(judge(Path(sys.argv[1]))))
"""
Loss = dict[str, Any]


class CannotJudge(Exception):
    """That checkout does not read the run; in its words, the first line."""


def judged(checkout: Path, run: Path) -> dict[str, list[Loss]]:
    """The losses of each architecture, by that checkout.

    Raises:
        CannotJudge: it ended with an error.
    """
    command = [str(checkout / ".venv" / "bin" / "python"), "-c", JUDGE, str(run.resolve())]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("shared.errors.", "msgspec."))]
        raise CannotJudge((errors or done.stderr.splitlines() or ["no word"])[-1].replace(f"{run.resolve()}/", ""))
    return {name: result["losses"] for name, result in json.loads(done.stdout)["architectures"].items()}


def by_place(losses: list[Loss]) -> dict[tuple[Any, ...], Loss]:
    """Each under what makes it the same loss, whoever judges; the like of it are told apart by their order."""
    found: dict[tuple[Any, ...], Loss] = {}
    times: Counter[tuple[Any, ...]] = Counter()
    for loss in losses:
        place = (loss["kind"], loss["shopper"], loss["at_ms"], loss["node"])
        found[*place, times[place]] = loss
        times[place] += 1
    return found


def main() -> int:
    """Judge, and print."""
    other, here = Path(sys.argv[1]).resolve(), Path(__file__).parents[2]
    runs = sorted(path.parent for path in Path(sys.argv[2]).glob("*/results.json") if not path.parent.is_symlink())
    changed: Counter[tuple[str, ...]] = Counter()
    example: dict[tuple[str, ...], str] = {}
    unread: dict[str, str] = {}
    unexplained, losses, apart = [0, 0], 0, 0
    for run in runs:
        scenario = json.loads((run / "results.json").read_bytes())["scenario"]
        try:
            then = judged(other, run)
        except CannotJudge as error:
            unread[scenario] = str(error)
            continue
        for name, found in judged(here, run).items():
            was, now = by_place(then[name]), by_place(found)
            apart += len(was.keys() ^ now.keys())
            losses += len(now)
            for place in was.keys() & now.keys():
                causes = (was[place]["cause"], now[place]["cause"])
                unexplained = [many + (cause == "unexplained") for many, cause in zip(unexplained, causes, strict=True)]
                if causes[0] != causes[1]:
                    change = (scenario, name, now[place]["kind"], *causes)
                    changed[change] += 1
                    example[change] = f"{run.name}, shopper {now[place]['shopper']}: {now[place]['counterfactual']}"
    for change, times in sorted(changed.items()):
        print(times, *change, example[change], sep=" | ")
    read = len(runs) - len(unread)
    print(
        f"{read} of {len(runs)} runs, {losses} losses, {changed.total()} have another cause, {apart} found by one only"
    )
    print(f"unexplained: {unexplained[0]} by {other.name}, {unexplained[1]} here")
    for scenario, why in unread.items():
        print(f"not read by {other.name}: {scenario}: {why}")
    return int(apart > 0)


if __name__ == "__main__":
    sys.exit(main())
