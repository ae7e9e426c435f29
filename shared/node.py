"""One node: `python -m shared.node stateful_app --port 8101`. One shop in one process, behind granian.

granian's main process loads the shop's code, then forks the worker that serves: the code is loaded once, and a SIGKILL
of the process group ends both. With more workers than one (`TWINSHOP_NODE_WORKERS`), each has a memory of its own.
"""

import argparse
import gc
import importlib
import multiprocessing
import os
import secrets
import sys
from collections.abc import Sequence

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from shared.errors import TwinshopError
from shared.shop.settings import Settings
from shared.shop.stopping import begin_stopping

TWINS = ("stateful_app", "stateless_app")

KEEP_ALIVE_MS = 75_000
"""How long an idle connection is kept: longer than the balancer keeps its own end, so that only the balancer ever
closes one. Otherwise a node could close a connection at the very moment that a request is sent on it."""

STOP_WITHIN_S = 2
"""After SIGTERM, requests in flight have this long to end."""

MORE_THREADS = 64
"""Beside those that answer: each event stream keeps one, and each answer that was told to be late, while it waits."""


class Server(Granian):  # type: ignore[misc,valid-type]
    """granian, which tells endless answers to end before it waits for them."""

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop."""
        begin_stopping()  # first: an event stream would keep its worker until the time to stop is over
        super().shutdown(exit_code)


def serve(twin: str, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UsageError: the environment does not hold the settings of a node.
    """
    settings = Settings.from_environment()
    os.environ["TWINSHOP_BOOT"] = secrets.token_hex(6)  # before the fork: all workers are one start of one node
    run_server(f"{twin}:create_app", host=host, port=port, threads=settings.node_threads, workers=settings.node_workers)


def run_server(factory: str, *, host: str, port: int, threads: int, workers: int = 1) -> None:
    """Serve the application that `module:function` makes, as every node is served, until SIGTERM or SIGINT."""
    # Nothing of what is imported is garbage: to look for some takes a tenth of the start, and later each worker's time.
    gc.disable()
    importlib.import_module(factory.partition(":")[0])  # before the fork, so that the worker has it already
    gc.freeze()
    gc.enable()
    # Elsewhere workers are spawned and import it again: on macOS a fork may crash in the system's libraries.
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
    Server(
        factory,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads + MORE_THREADS,
        workers_kill_timeout=STOP_WITHIN_S,
        http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE_MS),
        log_access=False,  # the shop's own request log has it, by request id
        log_level=LogLevels.error,
        factory=True,
    ).serve()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of a node; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.node", description="Run one node of a shop.")
    parser.add_argument("twin", choices=TWINS, metavar="APP", help=" or ".join(TWINS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    asked = parser.parse_args(arguments)
    try:
        serve(asked.twin, host=asked.host, port=asked.port)
    except TwinshopError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
