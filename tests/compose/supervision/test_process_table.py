from __future__ import annotations

import os

import psutil

from compose.supervision.process_table import used_by_processes


def test_a_process_and_all_that_it_started() -> None:
    used = used_by_processes(os.getpid())
    assert used is not None
    cpu_s, memory = used
    assert cpu_s > 0
    assert memory >= psutil.Process().memory_info().rss // 2
    assert used_by_processes(2**31 - 1) is None
