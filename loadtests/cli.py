"""The command line: finds the command, and turns every ending into its exit code. `twinshop` = `main`."""

import errno
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module

import click
from click.exceptions import NoArgsIsHelpError

from loadtests.commands.options import DEBUG_OPTION
from loadtests.running.console import advise, is_gone, silence
from shared.errors import EnvironmentNotReady, Interrupted, TwinshopError, UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Carry out a scenario on each architecture, judge it, write the report."),
    "matrix": ("matrix", "Every scenario on every architecture: predicted beside measured."),
    "merge": ("matrix", "Put parts of a matrix together."),
    "claims": ("matrix", "What is commonly said, decided from what the matrix has measured."),
    "scorecard": ("scorecard", "What a security standard asks of sessions, executed."),
    "list": ("catalogue", "What there is: scenarios, architectures, faults, checks, behaviours."),
    "conformance": ("conformance", "Balancers against events: what each of them does to people."),
    "plan": ("run", "Print what a run would do and what it would cost; start nothing."),
    "app": ("app", "Your own application: describe it in a file, and see what is understood."),
    "runs": ("runs", "The runs that there are, newest first, each with its sentence."),
    "check": ("reread", "Judge a run again, offline: does its results.json agree?"),
    "explain": ("explain", "A shopper's session life, and why each loss came."),
    "report": ("reread", "Write a run's report again, offline."),
    "export": ("export", "Write a run as CSV, Parquet, JUnit XML, Markdown or a badge."),
    "compare": ("compare", "Runs side by side: what differs, and the numbers of the same plan."),
    "workshop": ("workshop", "Two shops side by side in a browser: predict, break something, see."),
    "goto": ("workshop", "Bring the running workshop to the start of an episode."),
    "rehearse": ("rehearse", "Play the lesson without a person: do its texts keep their promises?"),
    "dataset": ("dataset", "Write a campaign as an open data set."),
    "verify": ("dataset", "Recompute the numbers of a data set."),
    "bundle": ("bundle", "Write a whole run into one file, to be opened elsewhere."),
    "open": ("bundle", "Make a run's folder of a bundle again, checked file by file."),
    "up": ("cluster", "Start a cluster to play with, and leave it running."),
    "status": ("cluster", "What is running, node by node."),
    "kill": ("parts", "Kill a node, the balancer or the store of a running cluster."),
    "stop": ("parts", "Stop a part of a running cluster: it may end what it is doing."),
    "freeze": ("parts", "Freeze a part of a running cluster: it keeps all and answers nobody."),
    "thaw": ("parts", "Let a frozen part of a running cluster go on."),
    "start": ("parts", "Start a dead part of a running cluster again."),
    "scale-out": ("parts", "Add a node to a running cluster."),
    "scale-in": ("parts", "Take a node out of a running cluster."),
    "down": ("cluster", "Stop a running cluster."),
    "recover": ("cluster", "Clear away what a run that died has left behind."),
    "doctor": ("doctor", "What each engine needs, what is missing, and the command that fixes it."),
    "images": ("images", "The docker engine's images: build; save and load, for rooms offline."),
}
"""Each command: the module of `loadtests.commands` that has it, and its help in one line."""


def command_named(name: str) -> click.Command:
    """One of `COMMANDS`, from its module, which is imported now."""
    there = vars(import_module(f"loadtests.commands.{COMMANDS[name][0]}")).values()
    return next(it for it in there if isinstance(it, click.Command) and it.name == name)


class LazyGroup(click.Group):
    """Knows the commands by name and imports one only when it is wanted: first words within 100 ms."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        return command_named(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line each, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_module, what) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click would end one whose reader left with 1, which means "not as predicted" here."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if not is_gone(error):
                raise
            silence(sys.stdout)  # or Python complains once more, when it ends and flushes
            raise Interrupted("nobody reads what this command says any more: it ended in the middle") from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Names the nearest command when there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = "".join(f"; did you mean {name!r}?" for name in get_close_matches(args[0], COMMANDS, n=1))
            there = f"there are: {', '.join(COMMANDS)}"
            raise UsageError(f"there is no command {args[0]!r}{close}", why=there, next_step="twinshop -h") from error


EXAMPLES = """\b
Examples:
  twinshop run node-kill                        who gets logged out when a node dies?
  twinshop plan node-kill                       what that would do, without doing it
  twinshop up --architecture sticky-memory      a cluster to click through
  twinshop report runs/latest                   write a report again, offline

Stateful or stateless? Settled by measurement: real clusters, real kills, every logged-out user counted.

\b
Exit codes: 0 as predicted, 1 not as predicted, 2 usage, 3 inconclusive, 4 environment not ready,
5 internal error, 130 interrupted.
"""


@click.group(cls=LazyGroup, help=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twinshop", prog_name="twinshop")
@DEBUG_OPTION
def twinshop() -> None:
    """Hold the options that every command shares; `main` reads them."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        # click's own mode ends the process itself: with 1 on Ctrl-C, which means "not as predicted" here.
        code = twinshop.main(words, prog_name="twinshop", standalone_mode=False)
        return code if isinstance(code, int) else 0  # a command without a verdict returns nothing
    except NoArgsIsHelpError as error:  # to click it is an error, whose message is the whole help
        advise(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        return _complain(_asked_wrongly(error), words)
    except (click.Abort, KeyboardInterrupt):
        return _complain(Interrupted("interrupted"), words)
    except TwinshopError as error:
        return _complain(error, words)
    except OSError as error:
        return _complain(_from_the_system(error), words)
    except UnicodeEncodeError as error:
        return _complain(_not_in_utf8(error), words)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user without --debug
        what = f"internal error: {type(error).__name__}: {error}"
        return _complain(TwinshopError(what, next_step="run again with `twinshop --debug …` and report it"), words)


def _complain(error: TwinshopError, words: list[str]) -> int:
    if "--debug" in words:  # not by the option's value: the error may have come before any option was read
        traceback.print_exc()
    advise(f"twinshop: {error}", err=True)
    return error.exit_code


def _asked_wrongly(error: click.ClickException) -> UsageError:
    """click's own complaints, in the form of all others: what, why, and the next command."""
    what, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
    if context is None:
        return UsageError(what, next_step="twinshop -h")
    form = " ".join(context.get_usage().split()).removeprefix("Usage: ")
    return UsageError(what, why=f"expected {form}", next_step=f"{context.command_path} -h")


def _from_the_system(error: OSError) -> EnvironmentNotReady:
    """A full disk, a missing permission, too many open files: the machine is in the way, not the question."""
    next_steps = {
        errno.ENOSPC: "free some space, or name another place: --runs DIR",
        errno.EACCES: "name a place that you may write to: --runs DIR (and TWINSHOP_STATE for the ledger)",
        errno.EROFS: "name a place that you may write to: --runs DIR (and TWINSHOP_STATE for the ledger)",
        errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    }
    return EnvironmentNotReady(
        f"the system refused: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""),
        why=f"errno {errno.errorcode.get(error.errno or 0, '?')}",
        next_step=next_steps.get(error.errno or 0, "run again with `twinshop --debug …` to see where"),
    )


def _not_in_utf8(error: UnicodeEncodeError) -> EnvironmentNotReady:
    """Python reads a byte that is not UTF-8, in a folder's name, as half a letter that no file can hold."""
    return EnvironmentNotReady(
        f"a name is not UTF-8: {error.object[max(0, error.start - 40) : error.end + 20]!r}",
        why="what a run writes down names its folders, and all of it is UTF-8",
        next_step="work in a folder of another name (and TWINSHOP_STATE, for the ledger)",
    )


if __name__ == "__main__":
    sys.exit(main())
