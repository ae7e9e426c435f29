"""`python -m loadtests.reference [--check]`."""

import sys

import click

from loadtests.reference.pages import outdated, write


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if a page is not up to date.")
def main(check: bool) -> None:
    """Write the pages in docs that are made from the registries."""
    names = outdated() if check else write()
    for name in names:
        click.echo(f"docs/{name} {'is not up to date' if check else 'written'}")
    sys.exit(1 if check and names else 0)


if __name__ == "__main__":
    main()
