"""`twinshop conformance`: balancers and their affinities against events, in people."""

from pathlib import Path

import click

from loadtests.commands import options
from loadtests.running.console import tell


@click.command()
@options.names_option("balancer", "balancers")
@options.names_option("event", "events")
@options.names_option("architecture", "architectures")
@click.option("--variants", is_flag=True, help="As shipped, and otherwise set up, as well.")
@click.option("--repeats", type=options.WholeNumber(1, 100), default=5, show_default=True, help="Runs of each cell.")
@options.seed_option("Of all plans.")
@options.folder_option("--out", "runs/conformance", "Where table and page lie, and a folder for each run.")
@click.option(
    "--side-by-side", type=options.WholeNumber(1, 16),
    help="Clusters at the same time.  [default: three for two processors]",
)  # fmt: skip
@options.ON_OPTION
@click.option("--fresh", is_flag=True, help="Run again what was run already.")
@click.option("--json", "as_json", is_flag=True, help="Print conformance.json on stdout, and nothing else there.")
@options.QUIET_OPTION
@options.DEBUG_OPTION
def conformance(
    balancers: tuple[str, ...], events: tuple[str, ...], architectures: tuple[str, ...], variants: bool, repeats: int,
    seed: int, out: Path, side_by_side: int | None, scheduler: str | None, fresh: bool, as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """\b
    Examples:
      twinshop conformance --balancer envoy --balancer haproxy --event kill --repeats 2
      twinshop conformance                                   all balancers as recommended: 685 runs, about 37 minutes
      twinshop conformance --variants                        as shipped, strict, by stick table, … as well: hours
      twinshop conformance --on tcp://10.0.0.5:8786          on the workers of a Dask scheduler

    Run each event on each balancer, several times with the same plan, and count what became of people: logged out, met
    errors, trapped with a dead node, moved although their node lived. Ended in the middle, it goes on where it ended.
    Writes conformance.json, conformance.html and conformance.md.

    \b
    Exit codes: 0 every repeat was counted, 3 some could not be.
    """
    options.check_on(scheduler, side_by_side)
    from loadtests.campaigns.conformance.cells import FILE
    from loadtests.campaigns.conformance.conformance_run import ConformanceRequest, balancers_of, run_conformance
    from loadtests.campaigns.conformance.page import MARKDOWN_FILE

    asked = ConformanceRequest(out, balancers, variants, events, architectures, repeats, seed, side_by_side, fresh)
    launcher = options.far_launcher(scheduler, balancers_of(asked), out, "processes") if scheduler else None
    done = run_conformance(asked, (lambda _line: None) if quiet else (lambda line: tell(line, err=True)), launcher)
    tell((out / (FILE if as_json else MARKDOWN_FILE)).read_text(), nl=False)
    if not as_json:
        tell(f"\npage     {done.page}")
    if done.interrupted is not None:
        raise done.interrupted  # after the table: what was measured stays, and is told
    return 3 if done.known.lacking else 0
