"""`twinshop scorecard`: what a security standard asks of sessions, executed."""

from pathlib import Path

import click

from loadtests.commands import options
from loadtests.running.console import interrupts_raise, json_text, tell


@click.command()
@options.names_option("architecture", "names")
@options.ENGINE_OPTION
@options.folder_option("--into", "scorecard", "The folder of the page, the document and the logs.")
@options.QUIET_OPTION
@options.JSON_OPTION
@options.DEBUG_OPTION
def scorecard(names: tuple[str, ...], engine_name: str, into: Path, quiet: bool, as_json: bool) -> None:
    """\b
    Examples:
      twinshop scorecard
      twinshop scorecard --architecture redis --architecture signed-token
      twinshop scorecard --json > scorecard.json

    Execute eleven requirements of OWASP ASVS 5.0, chapter V7 (session management), on each architecture: while all is
    well, while the session store is down, and while one node is. Each cell is pass, fail or not applicable, with what
    was asked and what came back. About a minute for each architecture; writes scorecard.json, scorecard.html and
    scorecard.md.
    """
    from compose.architectures import ARCHITECTURES, architecture_named
    from compose.engines.registry import engine_named
    from compose.supervision.ledger import hold_machine, recover, state_folder
    from loadtests.campaigns.scorecard.scorecard_run import in_text, score, write_scorecard

    asked = [architecture_named(name).name for name in names] or list(ARCHITECTURES)
    engine, state = engine_named(engine_name), state_folder()
    # Held like a run: it takes nodes and stores away, and nobody may measure beside that.
    with interrupts_raise(), hold_machine(state):
        for line in recover(state).lines():
            click.echo(line, err=True)
        card = score(
            asked, engine, state, into, (lambda _name: None) if quiet else (lambda name: tell(f"{name} …", err=True))
        )
    document, page = write_scorecard(into, card)
    tell(json_text(card) if as_json else f"{in_text(card)}\n\ndocument {document}\npage     {page}")
