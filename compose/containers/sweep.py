"""Find and remove everything that carries a run's label, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import docker
from docker.errors import APIError

from compose.containers.api import asking, connect
from compose.containers.labels import of_run

SETTLE_S = 2.0
"""How long to look for a thing whose making was asked for in the instant before its owner died."""
GONE_WITHIN_S = 15.0
_PAUSE_S = 0.1
_AT_ONCE = 8
_GONE, _UNDER_WAY = 404, 409
Filter = dict[str, list[str]]


def sweep(engine: docker.APIClient, run: str, cluster: str | None = None, *, settle_s: float = 0.0) -> list[str]:
    """Remove the containers, then the networks and volumes of a run (or of one of its clusters); what was removed.

    Raises:
        EnvironmentNotReady: the engine does not answer, or something would not go within `GONE_WITHIN_S`.
    """
    wanted = of_run(run, cluster)
    now = time.monotonic()
    deadline, settled = now + GONE_WITHIN_S, now + settle_s
    removed: dict[str, None] = {}
    while True:
        found = _remove_once(engine, wanted)
        removed |= dict.fromkeys(found)
        now = time.monotonic()
        if not found and now >= settled:
            return list(removed)
        if now > deadline:
            with asking(f"remove {', '.join(found)}"):
                raise APIError("it is still there after 15 s")
        time.sleep(_PAUSE_S if found or settle_s else 0)


def _remove_once(engine: docker.APIClient, wanted: Filter) -> list[str]:
    """Ask for the removal of all there is; its names. Networks and volumes go only once no container holds them."""
    with asking("list what the run made"):
        containers = engine.containers(all=True, filters=wanted)
    if containers:
        ids = [(str(found["Id"]), str(found["Names"][0]).lstrip("/")) for found in containers]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: _gone(lambda: engine.remove_container(one[0], v=True, force=True)), ids))
    with asking("list what the run made"):
        networks = [(str(net["Id"]), str(net["Name"])) for net in engine.networks(filters=wanted)]
        volumes = [str(volume["Name"]) for volume in engine.volumes(filters=wanted)["Volumes"] or []]
    for identity, _name in networks:
        _gone(lambda identity=identity: engine.remove_network(identity))  # type: ignore[misc]
    for name in volumes:
        _gone(lambda name=name: engine.remove_volume(name, force=True))  # type: ignore[misc]
    names = [f"container {name}" for _, name in ids] if containers else []
    return names + [f"network {name}" for _, name in networks] + [f"volume {name}" for name in volumes]


def _gone(remove: Callable[[], object]) -> None:
    """Remove one thing; no error if it is gone, or on its way (the next look tells)."""
    with asking("remove what the run made"):
        try:
            remove()
        except APIError as error:
            if error.status_code in (_GONE, _UNDER_WAY) or "active endpoints" in str(error.explanation):
                return
            raise


def sweep_at(address: str, run: str, *, unaccounted: bool) -> list[str]:
    """`sweep`, for recovery: all of a run, in the engine at that address."""
    with connect(address) as engine:
        return sweep(engine, run, settle_s=SETTLE_S if unaccounted else 0.0)


def running_at(address: str, run: str) -> bool:
    """Whether any container of that run runs there (a paused one does).

    Raises:
        EnvironmentNotReady: the engine does not answer.
    """
    with connect(address, within_s=5.0) as engine, asking("list containers"):
        return bool(engine.containers(filters=of_run(run)))
