from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import gc
import loadtests.load.locust_process
before = gc.isenabled()
import loadtests.locustfile
print(before, gc.isenabled())
"""


def test_garbage_is_looked_for_again_before_anybody_shops() -> None:
    """Otherwise a load process would grow for as long as it runs."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, "TWINSHOP_PASSWORD": "shop"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("False True\n", 0), done.stderr
