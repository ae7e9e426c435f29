"""A service of somebody's compose file, as `docker compose` itself resolves it: what its containers are made of.

Interpolation, `extends`, `env_file` and overrides are compose's business; what it says in the end is read strictly.
What a container would need and is not carried over is refused, by name: it would be another application without it.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shared.errors import DescriptionError, EnvironmentNotReady

RESOLVED_WITHIN_S, BUILT_WITHIN_S = 20.0, 600.0
CARRIED_OVER = frozenset(
    ("image", "build", "command", "entrypoint", "environment", "user", "working_dir", "volumes", "tmpfs", "depends_on",
     "mem_limit", "healthcheck")
)  # fmt: skip
NOT_NEEDED = frozenset(
    ("ports", "expose", "networks", "restart", "container_name", "hostname", "deploy", "scale", "labels", "init",
     "pull_policy", "stop_grace_period", "stop_signal", "logging", "profiles", "platform")
)  # fmt: skip
"""Where it listens, for how many and how it is started again is Twinshop's business here."""


class _Volume(msgspec.Struct, frozen=True):
    type: str
    target: str
    source: str = ""
    read_only: bool = False


class _Healthcheck(msgspec.Struct, frozen=True):
    test: tuple[str, ...] = ()
    disable: bool = False


class ServiceContainer(msgspec.Struct, frozen=True):
    """What one container of a service is made of, by compose's own keys."""

    name: str
    image: str
    build: Any = None
    """Of what its owner's Dockerfile makes the image; None: it is made already."""
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own."""
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    user: str = ""
    working_dir: str = ""
    """In which it is started; empty: the image's own."""
    volumes: tuple[_Volume, ...] = ()
    tmpfs: tuple[str, ...] = ()
    mem_limit: int = 0
    """Bytes at most; 0: the compose file says nothing."""
    healthcheck: _Healthcheck = _Healthcheck()

    @property
    def binds(self) -> tuple[str, ...]:
        """Folders and files of this machine that it sees, as Docker writes them."""
        seen = (volume for volume in self.volumes if volume.type == "bind")
        return tuple(f"{it.source}:{it.target}:{'ro' if it.read_only else 'rw'}" for it in seen)

    @property
    def health(self) -> tuple[str, ...]:
        """The command that says whether it is well, to be run in the container; empty: none."""
        kind, *words = self.healthcheck.test or ("NONE",)
        # As Docker reads it: CMD is a program with its arguments, CMD-SHELL a line for a shell, NONE none.
        told = {"CMD": tuple(words), "CMD-SHELL": ("/bin/sh", "-c", *words)}
        return () if self.healthcheck.disable else told.get(kind, ())


class _Config(msgspec.Struct):
    name: str
    services: dict[str, dict[str, Any]]


_decode_config = msgspec.json.Decoder(_Config).decode


class ComposeService(msgspec.Struct, frozen=True):
    """A service that is a node, and what it rests on."""

    node: ServiceContainer
    beside: tuple[ServiceContainer, ...]
    """One of each, in the order in which they are started."""
    file: Path

    def build(self) -> None:
        """Have compose build the images that its owner's Dockerfiles make; what has not changed is not made anew.

        Raises:
            EnvironmentNotReady: it failed.
        """
        if made := [each.name for each in (self.node, *self.beside) if each.build is not None]:
            _compose(self.file, ["build", "--quiet", *made], BUILT_WITHIN_S)


def compose_service(file: Path, name: str) -> ComposeService:
    """That service of a compose file.

    Raises:
        DescriptionError: there is none of that name, or it needs what is not carried over.
        EnvironmentNotReady: compose is not there, or refuses the file.
    """
    config = _decode_config(_compose(file, ["config", "--format", "json"], RESOLVED_WITHIN_S))
    if name not in config.services:
        why = f"it has {', '.join(config.services)}"
        raise DescriptionError(f"{file} has no service {name!r}", why=why, next_step="name one of them in [service]")
    found: dict[str, ServiceContainer] = {}
    for each in _in_order(config, name, ()):  # several may rest on the same one: it is started once, for the first
        found.setdefault(each, _container(file, config, each, is_node=each == name))
    return ComposeService(found.pop(name), tuple(found.values()), file)


def _in_order(config: _Config, name: str, above: tuple[str, ...]) -> Iterator[str]:
    """What it rests on, then itself."""
    for each in config.services[name].get("depends_on") or {}:
        if each not in above:  # compose refuses circles by itself
            yield from _in_order(config, each, (*above, name))
    yield name


def _container(file: Path, config: _Config, name: str, *, is_node: bool) -> ServiceContainer:
    # What says nothing is not refused either: compose itself writes `command: null` beside what its owner wrote.
    told = {key: value for key, value in config.services[name].items() if value not in (None, [], {}, False)}
    if unknown := sorted(set(told) - CARRIED_OVER - NOT_NEEDED):
        raise _refused(file, name, f"it has {', '.join(unknown)}, which Twinshop does not carry over")
    told["environment"] = {key: value for key, value in told.get("environment", {}).items() if value is not None}
    # Of an image that it builds, compose itself makes up that name. It writes sizes as texts: "67108864".
    it = msgspec.convert({"image": f"{config.name}-{name}", **told, "name": name}, ServiceContainer, strict=False)
    named = [volume.target for volume in it.volumes if volume.type != "bind"]
    if named and is_node:
        # Of what it rests on, a volume is new in each run, and gone with it; nodes would each have one of their own.
        raise _refused(file, name, f"a volume is at {named[0]}: keep what nodes share in a service that they rest on")
    return it


def _refused(file: Path, service: str, why: str) -> DescriptionError:
    return DescriptionError(
        f"the service {service} of {file} cannot be a part of a cluster", why=why,
        next_step="a compose file for this purpose alone may be simpler",
    )  # fmt: skip


def _compose(file: Path, words: Sequence[str], within_s: float) -> bytes:
    command = ["docker", "compose", "--file", str(file), *words]
    try:
        done = subprocess.run(
            command, cwd=file.parent, stdin=subprocess.DEVNULL, capture_output=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise _not_resolved(file, f"docker compose {words[0]} took longer than {within_s:.0f} s") from None
    except OSError as error:
        raise _not_resolved(file, f"docker compose cannot be started: {error.strerror or error}") from None
    if done.returncode:
        # Its last line: warnings of variables that are not set stand above it.
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"])[-1]
        raise _not_resolved(file, f"docker compose {words[0]}: {last[:300]}")
    return done.stdout


def _not_resolved(file: Path, why: str) -> EnvironmentNotReady:
    return EnvironmentNotReady(
        f"the services of {file} cannot be had", why=why, next_step=f"docker compose --file {file} config"
    )
