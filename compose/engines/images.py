"""The images of a cluster of containers: three official ones, and the node's own, built once for the same inputs."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from compose.applications.compose_file import ComposeService
from compose.balancers import BALANCERS, balancer_named
from compose.cluster import ClusterSpec, has_wires
from compose.containers import INPUTS, asking
from shared.errors import EnvironmentNotReady, TwinshopError, UsageError

PYTHON, STORE, DATABASE = "python:3.13-slim", "redis:8", "postgres:17"
# What a cluster runs besides the node's image; PYTHON is needed only to build that.
OFFICIAL = (*dict.fromkeys(balancer.image for balancer in BALANCERS.values() if balancer.image), STORE, DATABASE)
NODE = "twinshop-node"
_COMPOSE = Path(__file__).parents[1]
_ROOT = _COMPOSE.parent
_WIRES = ("compose/__init__.py", "compose/delay_proxy.py", "compose/wires.py")
_FILES = ("compose/Dockerfile", "compose/requirements-node.lock", "compose/by_hand.py", *_WIRES)
_ROOMS = ("shared", "stateful_app", "stateless_app")
_CHUNK = 2**20
Say = Callable[[str], None]


def inputs() -> dict[str, bytes]:
    """Everything that goes into the node's image, by its path."""
    files = [_ROOT / name for name in _FILES]
    for room in _ROOMS:
        files += [path for path in (_ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    try:
        return {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in sorted(files)}
    except OSError as error:
        raise TwinshopError(
            "what the node's image is built from cannot be read", why=str(error), next_step="install Twinshop again"
        ) from error


@cache
def node_image() -> str:
    """The name of the node's image; another one as soon as anything changes that goes into it."""
    digest = hashlib.sha256()
    for name, content in inputs().items():
        digest.update(f"{name}\0{len(content)}\0".encode())  # or bytes could move to the next file unseen
        digest.update(content)
    return f"{NODE}:{digest.hexdigest()[:12]}"


def needed(spec: ClusterSpec, service: ComposeService | None = None) -> tuple[str, ...]:
    """The images of that cluster; of a service's own, those that are not built by compose."""
    ours = (balancer_named(spec.balancer).image, *((STORE,) if spec.architecture.uses_server else ()))
    if service is None:
        return (node_image(), DATABASE, *ours)
    wires = (node_image(),) if has_wires(spec) else ()
    theirs = (each.image for each in (service.node, *service.beside) if each.build is None)
    return tuple(dict.fromkeys((*ours, *wires, *theirs)))


def size_mb(engine: docker.APIClient, name: str) -> int | None:
    """How large an image is; None if it is not there."""
    with asking(f"look for the image {name}"):
        try:
            return int(engine.inspect_image(name)["Size"]) // 10**6
        except ImageNotFound:
            return None


def missing(engine: docker.APIClient, names: Iterable[str]) -> list[str]:
    """Those that are not there."""
    return [name for name in names if size_mb(engine, name) is None]


def ensure(engine: docker.APIClient, names: tuple[str, ...], say: Say) -> None:
    """Pull or build what is not there.

    Raises:
        EnvironmentNotReady: one cannot be had.
    """
    for name in missing(engine, names):
        (build if name == node_image() else pull)(engine, name, say)


def pull(engine: docker.APIClient, name: str, say: Say) -> None:
    """Fetch an official image.

    Raises:
        EnvironmentNotReady: it cannot be fetched: there is no network, or no such image.
    """
    say(f"pulling {name} …")
    repository, _, tag = name.rpartition(":")
    try:
        with asking(f"pull {name}"):
            for step in engine.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in step:
                    raise _cannot_have(name, str(step["error"]))
    except EnvironmentNotReady as error:
        raise _cannot_have(name, error.why or error.what) from error


def build(engine: docker.APIClient, name: str, say: Say) -> None:
    """Build the node's image.

    Raises:
        EnvironmentNotReady: it cannot be built; with the end of what the builder said.
    """
    ensure(engine, (PYTHON,), say)
    say(f"building {name} (once, and again only when its inputs change) …")
    said: list[str] = []
    # forcerm: a build that fails would leave its containers behind.
    with asking(f"build {name}"):
        steps = engine.build(
            fileobj=_context(), custom_context=True, dockerfile="compose/Dockerfile", tag=name, rm=True, forcerm=True,
            labels={INPUTS: name.partition(":")[2]}, decode=True,
        )  # fmt: skip
        for step in steps:
            said += str(step.get("stream", "")).splitlines()
            if "error" in step:
                end = "\n".join(f"  | {line}" for line in said[-20:] if line.strip())
                next_step = "without a network: `twinshop images load FILE`; with one: try again"
                if "no space left" in str(step["error"]):
                    next_step = "docker system prune"
                why = f"{step['error']}\n{end}"
                raise EnvironmentNotReady(f"the image {name} cannot be built", why=why, next_step=next_step)
    with asking(f"name {name}"):
        engine.tag(name, NODE, "latest")  # the name that the compose files use


def _context() -> io.BytesIO:
    """The build context: the inputs and nothing else, always the same bytes, so that the builder's cache serves."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in inputs().items():
            entry = tarfile.TarInfo(name)  # without the file's own time and owner, which differ from copy to copy
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed


def _cannot_have(name: str, why: str) -> EnvironmentNotReady:
    return EnvironmentNotReady(
        f"the image {name} is missing and cannot be pulled",
        why=why,
        next_step="connect to the network and try again; or, where it works, `twinshop images save FILE`, "
        "and here `twinshop images load FILE`",
    )


def save(engine: docker.APIClient, file: Path, say: Say) -> tuple[str, ...]:
    """Write every image that a cluster needs into one tar file (layers they share only once); their names.

    Raises:
        EnvironmentNotReady: an image cannot be had, or the file not be written.
    """
    names = (node_image(), f"{NODE}:latest", *OFFICIAL)
    ensure(engine, (node_image(), *OFFICIAL), say)
    say(f"writing {file} …")
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("wb") as out:
            out.writelines(_exported(engine, names))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return names


def _exported(engine: docker.APIClient, names: tuple[str, ...]) -> Iterator[bytes]:
    # The SDK exports one image at a time; the engine can do several, and then writes what they share once.
    url = f"{engine.base_url}/v{engine.api_version}/images/get"
    with asking("export the images"):
        # No timeout: the engine may pack for long before its first byte.
        answer = engine.get(url, params={"names": list(names)}, stream=True, timeout=None)
        answer.raise_for_status()
        yield from answer.iter_content(_CHUNK)


def load(engine: docker.APIClient, file: Path, say: Say) -> tuple[str, ...]:
    """Read images from a file made by `save`; the names that a cluster needs and that are there now.

    Raises:
        UsageError: the file cannot be read, or holds no images.
        EnvironmentNotReady: the file was made by another version of Twinshop: its node's image is not ours.
    """
    try:
        packed = file.open("rb")
    except OSError as error:
        raise UsageError(
            f"cannot read {file}", why=error.strerror or "", next_step="name a file of `images save`"
        ) from error
    say(f"reading {file} …")
    with packed, asking(f"load {file}"):
        for step in engine.load_image(packed):
            if "error" in step:
                raise UsageError(
                    f"{file} holds no images", why=str(step["error"]), next_step="name a file of `images save`"
                )
    names = (node_image(), *OFFICIAL)
    if lacking := missing(engine, names):
        raise EnvironmentNotReady(
            f"after loading {file}, {', '.join(lacking)} is still missing",
            why="the file was made by another version of Twinshop, whose node is another one",
            next_step="run `twinshop images save FILE` with this version, where there is a network",
        )
    return names
