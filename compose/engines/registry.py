"""The engines there are, by name. To add one, add a line here, and a test that inherits `tests/compose/contract.py`."""

from collections.abc import Callable

from compose.architectures import one_of
from compose.engines.contract import Engine
from compose.engines.processes import ProcessesEngine


def _docker() -> Engine:
    from compose.engines.docker import DockerEngine  # costs 0.15 s to import

    return DockerEngine()


ENGINES: dict[str, Callable[[], Engine]] = {ProcessesEngine.name: ProcessesEngine, "docker": _docker}


def engine_named(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    return one_of(ENGINES, name, "engine", next_step="omit --engine for the default")()
