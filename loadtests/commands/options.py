"""Options that several commands have, said once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loadtests.running.console import tell
from shared.errors import EnvironmentNotReady, UsageError

if TYPE_CHECKING:
    from loadtests.campaigns.far.machines import FarLauncher, Machines

F = TypeVar("F", bound=Callable[..., object])

# Its value goes nowhere: `loadtests.cli.main` looks for the word.
DEBUG_OPTION = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
QUIET_OPTION = click.option("-q", "--quiet", is_flag=True, help="No progress.")


class WholeNumber(click.IntRange):
    """A whole number; whoever gives another thing is told in one sentence what was expected."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            ends = "" if self.min is None else f" from {self.min:,}" + (f" to {self.max:,}" if self.max else " on")
            self.fail(f"expected a whole number{ends}, not {value!r}", param, ctx)


def completed(_context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """What a shell offers: whatever there is of what the parameter asks for, and begins so."""
    return [name for name in _all_of(parameter.opts[0].lstrip("-")) if name.startswith(begun)]


def _all_of(word: str) -> list[str]:
    # Each word imports only what it needs: a shell runs all of this at every press of Tab.
    if word == "scenario":
        from loadtests.planning.scenario_file import SCENARIOS

        return sorted(path.stem for path in SCENARIOS.glob("*.toml"))
    if word == "family":
        from loadtests.planning.scenario_file import all_scenarios

        return sorted({scenario.family for scenario in all_scenarios()})
    if word == "balancer":
        from compose.balancers import BALANCERS

        return list(BALANCERS)
    if word == "event":
        from loadtests.campaigns.conformance.page import EVENTS

        return sorted(path.stem for path in EVENTS.glob("*.toml"))
    if word == "engine":
        from compose.engines.registry import ENGINES

        return list(ENGINES)
    from compose.architectures import ARCHITECTURES

    return list(ARCHITECTURES)


ENGINE_OPTION = click.option(
    "--engine", "engine_name", default="processes", show_default=True, help="What runs the clusters.",
    shell_complete=completed,
)  # fmt: skip
APP_OPTION = click.option(
    "--app", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Your own application, described in FILE, in the place of the twins.",
)  # fmt: skip
BEYOND_OPTION = click.option(
    "--beyond-this-machine", "beyond", is_flag=True,
    help="An application that runs already may be at another address than this machine's.",
)  # fmt: skip
BALANCER_OPTION = click.option(
    "--balancer", default="", metavar="NAME", help="Which one is in front of the nodes: see `twinshop list`.",
    shell_complete=completed,
)  # fmt: skip
SHOPPERS_OPTION = click.option(
    "--shoppers", type=WholeNumber(1, 20_000), help="How many people shop.  [default: the scenario's]"
)
RUN = click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
"""A run's folder, or a bundle where the command only reads."""


def seed_option(help_text: str) -> Callable[[F], F]:
    """`--seed`: any that a plan can have."""
    return click.option("--seed", type=WholeNumber(0, 2**31 - 1), default=1, show_default=True, help=help_text)


SCENARIO = click.argument("scenario", shell_complete=completed)


def names_option(word: str, variable: str) -> Callable[[F], F]:
    """`--scenario NAME` and the like: as often as one wants; none for all."""
    return click.option(
        f"--{word}", variable, multiple=True, metavar="NAME", help="Only these (repeatable).", shell_complete=completed
    )


def folder_option(name: str, default: str, help_text: str, *, variable: str | None = None) -> Callable[[F], F]:
    """A folder to write to, which the environment's `variable` can name as well."""
    return click.option(
        name, type=click.Path(file_okay=False, path_type=Path), default=Path(default), show_default=True,
        envvar=variable, help=help_text,
    )  # fmt: skip


def runs_option(help_text: str, *, variable: str | None = "TWINSHOP_RUNS") -> Callable[[F], F]:
    """`--runs DIR`."""
    return folder_option("--runs", "runs", help_text, variable=variable)


ON_OPTION = click.option(
    "--on", "scheduler", metavar="ADDRESS",
    help="Run it on the workers of the Dask scheduler at that address: tcp://HOST:8786.",
)  # fmt: skip


def check_on(scheduler: str | None, side_by_side: int | None) -> None:
    """Nothing, unless a campaign is asked to be carried out here and elsewhere at once.

    Raises:
        UsageError: it is.
    """
    if scheduler and side_by_side:
        raise UsageError(
            "--on and --side-by-side exclude each other",
            why="a worker carries out one run at a time",
            next_step="omit --side-by-side",
        )


def machines_at(address: str, balancers: Iterable[str] = ()) -> Machines:
    """The machines of a Dask scheduler; `balancers`: those that will run, if they are others than the default.

    Raises:
        EnvironmentNotReady: Dask is not installed, or there is no machine that may be used.
    """
    # Looked for, not imported: only whoever asks for other machines waits for Dask.
    if find_spec("distributed") is None:
        raise EnvironmentNotReady(
            "cannot run on other machines: Dask is not installed",
            why="only campaigns on several machines need it",
            next_step="pip install 'twinshop[campaigns]'",
        )
    from compose.balancers import choose_balancer
    from loadtests.campaigns.far.machines import Machines

    names = {name or choose_balancer().name for name in balancers or ("",)}
    return Machines(address, lambda line: tell(line, err=True), tuple(sorted(names)))


def far_launcher(address: str, balancers: Iterable[str], folder: Path, engine: str) -> FarLauncher:
    """What has runs carried out by the machines of a Dask scheduler, each into its place in the folder."""
    machines = machines_at(address, balancers)  # first: it says what to install
    from loadtests.campaigns.far.machines import FarLauncher

    return FarLauncher(machines, folder, engine)
