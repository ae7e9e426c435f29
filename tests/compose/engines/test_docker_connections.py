"""A Docker cluster's connections to the engine end with whoever kept it; no engine is needed to see that."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from compose.engines.cluster_file import first_ports, new_cluster
from compose.engines.docker import DockerCluster
from compose.engines.docker_parts import DATABASE
from tests.compose.engine_tests import new_spec


def test_a_cluster_that_nobody_keeps_keeps_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, eye, spec = Mock(), Mock(), new_spec()
    monkeypatch.setattr("compose.engines.docker_containers.connect", lambda *_asked, **_so: eye)
    written = new_cluster("docker", spec, "postgresql://127.0.0.1:1", first_ports(spec, DATABASE))
    cluster = DockerCluster(tmp_path, written, Mock(), client)
    assert not client.close.called
    del cluster  # at once: not only when the garbage collector comes by
    assert client.close.called
    assert eye.close.called
