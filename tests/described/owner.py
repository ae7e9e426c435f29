"""An owner's commands: owner.py start|kill|up|down PORT FOLDER. They print a secret, to be found nowhere."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

what, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
pid = folder / "pid"
sys.stdout.write("token=do-not-tell-anybody\n")


def answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


if what == "start" and not answers():
    environment = {**os.environ, "FOLDER": str(folder), "SECRET": "s", "SESSIONS": "memory", "NODE": "n1"}
    app = Path(__file__).with_name("app.py")
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        [sys.executable, str(app), str(port)], env=environment, stdin=quiet, stdout=quiet, stderr=quiet,
        start_new_session=True,
    )  # fmt: skip
    pid.write_text(str(child.pid))
    while not answers():
        time.sleep(0.02)
elif what == "kill" and pid.exists():
    os.kill(int(pid.read_text()), signal.SIGKILL)
    pid.unlink()
elif what in ("up", "down"):
    sys.exit(answers() != (what == "up"))
