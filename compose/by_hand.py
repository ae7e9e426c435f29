"""What the compose files need beside the shop itself, inside a container: secrets, accounts, a node that finds both.

    python -m by_hand secrets               makes the secrets, once, in a volume: none stands in a file of the project
    python -m by_hand accounts              makes the database's tables and the demo accounts; prints the password
    python -m by_hand node stateful_app     runs a node, named after its container

The harness needs none of it: there, the engine hands over settings itself.
"""

import os
import secrets
import socket
import sys
from pathlib import Path

FOLDER = Path("/run/twinshop")
SECRETS = ("database_password", "secret_key", "control_token", "shop_password")
ACCOUNTS = 60


def make_secrets(folder: Path = FOLDER) -> None:
    """Make those that are not there yet. Only nodes, and root in containers that mount the volume, can read them."""
    for name in SECRETS:
        path = folder / name
        if not path.exists():  # once: the volume outlives the containers, and the database keeps its first password
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            # The one that people type is shorter.
            draft.write_text(secrets.token_urlsafe(9 if name == "shop_password" else 24))
            draft.replace(path)


def secret(name: str, folder: Path = FOLDER) -> str:
    """One of them."""
    return (folder / name).read_text()


def database_url() -> str:
    """Of the service `database`."""
    return f"postgresql+psycopg://shop:{secret('database_password')}@database:5432/shop"


def make_accounts() -> None:
    """Make the tables and the accounts, and say how to log in."""
    from shared.shop.database import prepare  # late: only this one speaks to a database

    cost = int(os.environ.get("TWINSHOP_PASSWORD_COST", "1024"))
    prepare(database_url(), accounts=ACCOUNTS, password=secret("shop_password"), cost=cost)
    sys.stdout.write(f"log in as user-0001 … user-{ACCOUNTS:04d}, password {secret('shop_password')}\n")


def run_node(app: str) -> None:
    """Become a node of that shop."""
    settings = {
        "TWINSHOP_NODE": socket.gethostname(),
        "TWINSHOP_DATABASE_URL": database_url(),
        "TWINSHOP_SECRET_KEY": secret("secret_key"),
        "TWINSHOP_CONTROL_TOKEN": secret("control_token"),
    }
    command = [sys.executable, "-P", "-m", "shared.node", app, "--host", "0.0.0.0", "--port", "8000"]
    # In its place, not below it: SIGTERM of the container's engine must reach the node.
    os.execve(command[0], command, {**os.environ, **settings})


def main(words: list[str]) -> int:
    """One of the three; 2 if it is none of them."""
    match words:
        case ["secrets"]:
            make_secrets()
        case ["accounts"]:
            make_accounts()
        case ["node", app]:
            run_node(app)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
