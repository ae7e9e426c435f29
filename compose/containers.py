"""The Docker engine: where it is, how to ask it, what to tell a person when it refuses; and what of it is ours.

Everything goes through `asking`, which turns Docker's many errors into ours:

    engine = connect()
    with asking("start n1"):
        engine.start(container)

What Twinshop makes in an engine is known by its labels. Nothing without them is touched.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError, DockerException

from shared.errors import EnvironmentNotReady, PortTaken

ANSWERS_WITHIN_S = 20.0  # for one request; what takes long (a pull, a build) sends signs of life meanwhile
LOOKS_WITHIN_S = 0.35  # for one look at one container: part of an observation, which may take at most 1 s
START_IT = "start it (`sudo systemctl start docker`, or open Docker Desktop), then `twinshop doctor --engine docker`"
_USUAL = "unix:///var/run/docker.sock"
_LOCAL = ("localhost", "127.0.0.1", "::1")
RUN = "twinshop.run"
CLUSTER = "twinshop.cluster"  # the architecture: a run has several clusters, one after the other
ROLE = "twinshop.role"  # balancer, node, store, replica, sentinel, wire, database, network
SETTINGS = "twinshop.settings"  # the hash of how a container was made: one that has other settings now is made anew
INPUTS = "twinshop.inputs"  # on the node's image: the hash of all that went into it
SETTLE_S = 2.0  # how long to look for a thing whose making was asked for in the instant before its owner died
GONE_WITHIN_S = 15.0
_PAUSE_S = 0.1
_AT_ONCE = 8
IMAGE_USER = "10001:10001"  # as in `compose/Dockerfile`
# What the engine says, with other codes than 404 and 409, when there is nothing to be done, or a container is just
# leaving a network.
_SO_ALREADY = ("is not paused", "active endpoints")
Filter = dict[str, list[str]]


def engine_address() -> str:
    """Where the engine is: `DOCKER_HOST`, else the one that `docker context` names, else "" (the usual socket)."""
    named = os.environ.get("DOCKER_HOST")
    if named:
        return named
    try:
        context = docker.ContextAPI.get_current_context()
        return str(context.Host or "") if context is not None else ""
    except Exception:  # noqa: BLE001 - a broken configuration of another program: the usual socket is as good a guess
        return ""


def connect(
    address: str | None = None, *, within_s: float = ANSWERS_WITHIN_S, version: str = "auto"
) -> docker.APIClient:
    """The engine at that address; None: at `engine_address()`.

    Args:
        address: as `DOCKER_HOST` has it.
        within_s: the longest that it may take to answer.
        version: of its interface, if it has been asked already: then it is not asked anew.

    Raises:
        EnvironmentNotReady: nobody answers there, we may not ask, or it is another machine's.
    """
    address = engine_address() if address is None else address
    _refuse_distant(address)
    with asking("say its version"):
        _knock(address or _USUAL)
        return docker.APIClient(base_url=address or None, version=version, timeout=within_s)  # type: ignore[arg-type]


def _knock(address: str) -> None:
    """See whether anybody opens."""
    # The SDK would leave its socket open when nobody does, and wrap the reason three times.
    if address.startswith("unix://"):
        path = address.removeprefix("unix://")
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(ANSWERS_WITHIN_S)
            try:
                door.connect(path)
            except OSError as error:
                error.filename = path  # a socket's errors do not say whom they tried to reach
                raise


def _refuse_distant(address: str) -> None:
    """An engine of another machine has neither our files nor our 127.0.0.1: its nodes could not be watched."""
    parts = urlsplit(address)
    if parts.scheme in ("ssh", "tcp", "http", "https") and (parts.scheme == "ssh" or parts.hostname not in _LOCAL):
        raise EnvironmentNotReady(
            f"the Docker engine at {address} is on another machine",
            why="nodes publish their ports on 127.0.0.1 of their own machine, and write their logs there",
            next_step="run Twinshop on that machine (`ssh`), then copy the run's folder here; "
            "or `unset DOCKER_HOST` for the engine of this one",
        )


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Ask the engine to do something.

    Raises:
        PortTaken: a port to be published is in use.
        EnvironmentNotReady: it does not answer, we may not ask, or it refuses.
    """
    try:
        yield
    except APIError as error:
        raise _refused(what, error) from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise silent(error) from error


@contextmanager
def ensuring(what: str) -> Iterator[None]:
    """As `asking`, for what may be so already, or on its way (the next look tells): that is no error.

    Raises:
        EnvironmentNotReady: it does not answer, we may not ask, or it refuses.
    """
    with asking(what):
        try:
            yield
        except APIError as error:
            words = str(error.explanation)
            if error.status_code not in (404, 409) and not any(known in words for known in _SO_ALREADY):
                raise


def _refused(what: str, error: APIError) -> EnvironmentNotReady:
    why = str(error.explanation or error)
    if "already allocated" in why or "address already in use" in why:
        return PortTaken(
            f"cannot {what}: a port it is to publish is taken", why=why, next_step="stop what uses it, or try again"
        )
    if "no space left" in why:
        return EnvironmentNotReady(
            f"cannot {what}: the Docker engine's disk is full", why=why, next_step="docker system prune"
        )
    return EnvironmentNotReady(
        f"the Docker engine refused to {what}", why=why, next_step="twinshop doctor --engine docker"
    )


def silent(error: Exception) -> EnvironmentNotReady:
    """The engine did not answer at all."""
    cause = _deepest(error)
    where = getattr(cause, "filename", None) or (engine_address() or _USUAL).removeprefix("unix://")
    if isinstance(cause, PermissionError):
        return EnvironmentNotReady(
            "the Docker engine does not let us in",
            why=f"{where}: permission denied",
            next_step="sudo usermod -aG docker $USER, then log in again",
        )
    if isinstance(cause, FileNotFoundError):
        why = f"there is no {where}: Docker is not installed, or it is not running"
    elif isinstance(cause, ConnectionRefusedError):
        why = f"{where}: connection refused"
    else:
        why = str(cause) or type(cause).__name__
    return EnvironmentNotReady("the Docker engine does not answer", why=why, next_step=START_IT)


def _deepest(error: BaseException) -> BaseException:
    """The error that began it: requests and Docker's SDK wrap the system's several times."""
    seen = {id(error)}  # an error can be its own cause, over some corners
    while True:
        inner = error.__cause__ or error.__context__ or _argument(error)
        if inner is None or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner


def _argument(error: BaseException) -> BaseException | None:
    return next((argument for argument in error.args if isinstance(argument, BaseException)), None)


def container_user(engine: docker.APIClient) -> str:
    """Who runs in our containers, as uid:gid: somebody who may write the logs here, and is not root."""
    with asking("describe itself"):
        options = engine.info().get("SecurityOptions") or []
    if any("rootless" in option for option in options):
        return "0:0"  # there, root *is* the person who runs the engine
    return f"{os.getuid()}:{os.getgid()}" if os.getuid() else IMAGE_USER


def give(path: Path, user: str) -> None:
    """Make that user of our containers the owner of a file; only root can, and only for root it is necessary."""
    if os.getuid() == 0:
        uid, _, gid = user.partition(":")
        os.chown(path, int(uid), int(gid))


def labels(run: str, cluster: str, role: str) -> dict[str, str]:
    """What a thing of that run carries."""
    return {RUN: run, CLUSTER: cluster, ROLE: role}


def of_run(run: str, cluster: str | None = None) -> Filter:
    """The filter that finds the things of a run, or of one of its clusters, and no others."""
    return {"label": [f"{RUN}={run}", *([] if cluster is None else [f"{CLUSTER}={cluster}"])]}


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
        time.sleep(_PAUSE_S)


def _remove_once(engine: docker.APIClient, wanted: Filter) -> list[str]:
    """Ask for the removal of all there is; its names. Networks and volumes go only once no container holds them."""
    with asking("list what the run made"):
        listed = engine.containers(all=True, filters=wanted)
    containers = [(str(found["Id"]), str(found["Names"][0]).lstrip("/")) for found in listed]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # side by side: the engine takes its time for each
        list(pool.map(lambda one: _remove(engine.remove_container, one[0], v=True, force=True), containers))
    with asking("list what the run made"):
        networks = [(str(net["Id"]), str(net["Name"])) for net in engine.networks(filters=wanted)]
        volumes = [str(volume["Name"]) for volume in engine.volumes(filters=wanted)["Volumes"] or []]
    for identity, _name in networks:
        _remove(engine.remove_network, identity)
    for name in volumes:
        _remove(engine.remove_volume, name, force=True)
    kinds = (("container", containers), ("network", networks), ("volume", [("", name) for name in volumes]))
    return [f"{kind} {name}" for kind, found in kinds for _identity, name in found]


def _remove(deed: Callable[..., object], name: str, **how: bool) -> None:
    with ensuring("remove what the run made"):
        deed(name, **how)


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
