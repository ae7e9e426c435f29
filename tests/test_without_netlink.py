"""A program that is started without netlink gets no such socket, nor do its children; others it gets."""

from __future__ import annotations

import subprocess
import sys

from tests import without_netlink

ASKS = """
import socket, subprocess, sys
for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_NETLINK):
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
        print(family.name)
    except OSError as error:
        print(error.strerror)
if len(sys.argv) > 1:
    subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
"""


def test_it_gets_every_socket_but_that_one() -> None:
    words = [sys.executable, "-c", ASKS, ASKS]
    done = subprocess.run(
        [sys.executable, without_netlink.__file__, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["AF_INET", "AF_UNIX", "Address family not supported by protocol"] * 2
    assert done.stderr == ""
