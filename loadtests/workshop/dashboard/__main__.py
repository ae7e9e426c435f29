"""`python -m loadtests.workshop.dashboard ASSIGNMENT`: the dashboard, as the harness starts it."""

import sys
from pathlib import Path

from loadtests.model.run_folder import read_document
from loadtests.running.console import tell
from loadtests.workshop.dashboard.server import serve
from loadtests.workshop.dashboard_assignment import DashboardAssignment
from shared.errors import TwinshopError


def main(arguments: list[str]) -> int:
    """Serve what the file tells."""
    try:
        serve(read_document(Path(arguments[0]), DashboardAssignment))
    except TwinshopError as error:
        tell(f"dashboard: {error}", err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
