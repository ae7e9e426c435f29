"""For tests that need a Docker engine: is there one, and what of a run is in it?"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import docker
import pytest

from compose.containers import RUN, connect
from shared.errors import EnvironmentNotReady

GONE_WITHIN_S = 90.0


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.APIClient]:
    """The Docker engine. Without one, tests are skipped; in continuous integration they fail."""
    try:
        client = connect()
    except EnvironmentNotReady as error:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"no containers here: {error.what}: {error.why}")
    with client:
        yield client


def things_with(client: docker.APIClient, label: str = RUN) -> set[str]:
    """Every container, network and volume with that label, in any state."""
    wanted = {"label": [label]}
    containers = {f"container {found['Names'][0]}" for found in client.containers(all=True, filters=wanted)}
    networks = {f"network {found['Name']}" for found in client.networks(filters=wanted)}
    volumes = {f"volume {found['Name']}" for found in client.volumes(filters=wanted)["Volumes"] or []}
    return containers | networks | volumes


def left_since(client: docker.APIClient, before: set[str]) -> set[str]:
    """What is there now and was not before. What another test is using just now goes by itself: it is waited for."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while (left := things_with(client) - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


class Foreigners:
    """A container, a network and a volume that are somebody else's, named as ours could be."""

    def __init__(self, client: docker.APIClient, name: str) -> None:
        self._client = client
        self.name = f"twinshop-{name}-foreign"

    def __enter__(self) -> Foreigners:
        label = {"twinshop": "foreign", "twinshop.role": "node"}  # near misses: neither is a run's
        self._client.create_network(self.name, labels=label)
        self._client.create_volume(self.name, labels=label)
        host = self._client.create_host_config(network_mode=self.name, binds=[f"{self.name}:/data"])
        self._client.create_container("redis:8", ["--port", "6379"], name=self.name, labels=label, host_config=host)
        self._client.start(self.name)
        return self

    def are_well(self) -> bool:
        """All three are there, and the container runs."""
        running = self._client.inspect_container(self.name)["State"]["Running"]
        self._client.inspect_volume(self.name)
        self._client.inspect_network(self.name)
        return bool(running)

    def __exit__(self, *_: object) -> None:
        self._client.remove_container(self.name, force=True, v=True)
        self._client.remove_network(self.name)
        self._client.remove_volume(self.name)
