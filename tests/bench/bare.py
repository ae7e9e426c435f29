"""What the shops are measured beside: one Flask route that does nothing, behind the same server."""

from __future__ import annotations

import sys

from flask import Flask

from shared.node import run_server


def create_app() -> Flask:
    """A route that answers a small JSON document."""
    app = Flask(__name__)

    @app.get("/me")
    def me() -> dict[str, object]:
        return {"user": "user-0001", "node": "n1", "cart": {"acorn": 1}}

    return app


if __name__ == "__main__":
    run_server("tests.bench.bare:create_app", host="127.0.0.1", port=int(sys.argv[1]), threads=int(sys.argv[2]))
