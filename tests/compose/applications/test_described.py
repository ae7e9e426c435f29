"""What a node of a described application is started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.applications.contract import NodeSetup
from compose.applications.described import DescribedApplication
from compose.cluster import ClusterSpec
from compose.description import architectures_of
from compose.supervision.ports import Listen
from tests.compose.applications.test_description_file import GOOD, read

ASKED = GOOD.replace('"{port}"]', '"{port}", "--as={variant}"]').replace('"{secret}"', '"{variant}/{node}"')


@pytest.mark.parametrize(
    ("text", "variant"),
    [(ASKED, "redis"), (ASKED.partition("[variant")[0], "")],
    ids=["of several", "the only one, without a name"],
)
def test_a_node_can_be_told_which_variant_it_is(text: str, variant: str, tmp_path: Path) -> None:
    description = read(text)
    architecture = architectures_of(description)[f"notes-{variant}".removesuffix("-")]
    spec = ClusterSpec("0123abcd", architecture, application=description)
    setup = NodeSetup("n2", Listen("127.0.0.1", 8000), "", "", "", "", folder=str(tmp_path))
    application = DescribedApplication(description)
    assert application.command(spec, setup) == ["python", "app.py", "8000", f"--as={variant}"]
    assert application.environment(spec, setup)["SECRET"] == f"{variant}/n2"
