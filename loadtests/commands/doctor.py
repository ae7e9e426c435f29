"""`twinshop doctor`: what each engine needs, what is missing, and the command that fixes it."""

import click

from loadtests.commands.options import JSON_OPTION
from loadtests.running.console import json_text, pasteable
from shared.errors import EnvironmentNotReady, UsageError

ENGINES = ("processes", "docker")


@click.command(
    epilog="""\b
Examples:
  twinshop doctor
  twinshop doctor --engine docker
  twinshop doctor --json
"""
)
@click.option(
    "--engine", "engines", multiple=True, metavar="NAME",
    help="Only this one (repeatable); exit with 4 if it is not ready.  [default: processes must be]",
)  # fmt: skip
@JSON_OPTION
def doctor(engines: tuple[str, ...], as_json: bool) -> int:
    """Look at what each engine needs, and name the command that fixes what is missing. Changes nothing."""
    from compose.doctor import DOCKER_LOOKS, MACHINE_LOOKS, examine, ready

    asked = engines or ENGINES[:1]  # nobody needs Docker: it is looked at, and decides only where it is asked for
    for name in asked:
        if name not in ENGINES:
            known = f"known engines: {', '.join(ENGINES)}"
            raise UsageError(f"there is no engine named {name!r}", why=known, next_step="twinshop doctor")
    told = engines or ENGINES
    looks = {key: look for key, look in (MACHINE_LOOKS | DOCKER_LOOKS).items() if key[0] in ("machine", *told)}
    checks = examine(looks)
    is_ready = {name: ready(checks, name) for name in ENGINES if name in told}
    if as_json:
        click.echo(json_text({"schema": 1, "ready": is_ready, "checks": checks}))
    else:
        for check in checks:
            mark = "ok     " if check.ok else "MISSING" if check.needed else "without"
            mend = "" if check.ok else pasteable(f"  -> {check.mend}")
            click.echo(f"{mark}  {check.engine:<9}  {check.name:<13}  {check.says}{mend}")
        for name, fine in is_ready.items():
            click.echo(f"engine {name}: {'ready' if fine else 'not ready'}")
    return 0 if all(is_ready[name] for name in asked) else EnvironmentNotReady.exit_code
