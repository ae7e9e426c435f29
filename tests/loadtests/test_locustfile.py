"""The same file under plain Locust: free shoppers, any number, headless and with the web interface."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compose.supervision.ports import free_ports
from loadtests.load.load_process import LOCUSTFILE
from loadtests.model.history import Exchange, read_history
from tests.loadtests.standins import RUN, StandinShop, standin_shop
from tests.waiting import until

PATIENCE_S = 30.0
MORE = 30

pytestmark = pytest.mark.cluster


@pytest.fixture
def shop() -> Iterator[StandinShop]:
    with standin_shop() as running:
        yield running


def locust(shop: StandinShop, folder: Path, *options: str, **told: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", shop.url, *options],
        env={**os.environ, "TWINSHOP_LOAD_FOLDER": str(folder), "TWINSHOP_PASSWORD": "shop", **told},
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def history(folder: Path) -> list[Exchange]:
    return [record for record in read_history(folder / "history-0.ndjson") if isinstance(record, Exchange)]


def shopped(shop: StandinShop, process: subprocess.Popen[str], shoppers: int) -> str:
    """Let them shop until everybody has logged in and more was asked since, then end it; what it printed.

    Locust's own `--run-time` counts from before it has begun: on a busy machine a second can be over by then.
    """

    def enough() -> bool:
        asked = [(method, path) for method, path, *_ in shop.seen()]
        logins = [place for place, each in enumerate(asked) if each == ("POST", "/login")]
        return len(logins) >= shoppers and len(asked) > logins[-1] + MORE

    try:
        assert until(enough, PATIENCE_S)
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out


def test_headless_for_some_seconds(shop: StandinShop, tmp_path: Path) -> None:
    with locust(shop, tmp_path, "--headless", "-u", "8", "-r", "8", "-t", "1m") as process:
        out = shopped(shop, process, 8)
    assert "GET      /cart" in out
    records = history(tmp_path)
    assert {each.request for each in records if each.request} >= {request for _, _, request, _ in shop.seen()}
    assert len(shop.seen()) > 20
    assert {each.user for each in records if each.do == "login"} == {f"user-{number:04d}" for number in range(1, 9)}
    assert Counter(each.shopper for each in records if each.why == "audit" and each.do == "me") == dict.fromkeys(
        range(1, 9), 1
    )
    assert {each.outcome for each in records if each.error != "stopped"} == {"ok"}


def test_more_shoppers_than_accounts_share_them(shop: StandinShop, tmp_path: Path) -> None:
    options = ("--headless", "-u", "5", "-r", "5")
    with locust(shop, tmp_path, *options, TWINSHOP_ACCOUNTS="2", TWINSHOP_RUN=RUN) as process:
        shopped(shop, process, 5)
    assert Counter(each.user for each in history(tmp_path) if each.do == "login") == {"user-0001": 3, "user-0002": 2}


def test_ending_it_in_the_middle_loses_no_record(shop: StandinShop, tmp_path: Path) -> None:
    shop.rule("GET /cart", "hang 20", times=-1)
    with locust(shop, tmp_path, "--headless", "-u", "8", "-r", "8") as process:
        assert until(lambda: ["GET", "/cart"] in [each[:2] for each in shop.seen()], PATIENCE_S)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    records = history(tmp_path)
    assert {each.request for each in records if each.request} >= {request for _, _, request, _ in shop.seen()}, out
    assert ("cart", "failed", "stopped") in {(each.do, each.outcome, each.error) for each in records}


def test_with_the_web_interface_up_and_down(shop: StandinShop, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with locust(shop, tmp_path, "--web-host", "127.0.0.1", "--web-port", str(port)) as process:
        page = f"http://127.0.0.1:{port}"
        try:
            _poll(page, lambda text: "Shopper" in text)
            _post(f"{page}/swarm", "user_count=6&spawn_rate=6")
            _poll(f"{page}/stats/requests", lambda text: json.loads(text)["user_count"] == 6)
            _poll(f"{page}/stats/requests", lambda text: json.loads(text)["total_rps"] > 0)
            _post(f"{page}/swarm", "user_count=2&spawn_rate=100")
            _poll(f"{page}/stats/requests", lambda text: json.loads(text)["user_count"] == 2)
            _post(f"{page}/swarm", "user_count=4&spawn_rate=100")
            _poll(f"{page}/stats/requests", lambda text: json.loads(text)["user_count"] == 4)
            stats = urllib.request.urlopen(f"{page}/stats/requests", timeout=20).read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
    assert re.search(r'"name": ?"/products"', stats), stats
    records = history(tmp_path)
    assert {each.request for each in records if each.request} >= {request for _, _, request, _ in shop.seen()}, out
    assert {each.shopper for each in records} == set(range(1, 7))
    audits = Counter(each.shopper for each in records if each.why == "audit" and each.do == "me")
    assert sum(audits.values()) == 8  # 4 left when 6 became 2, and 4 at the end: their numbers were given out again


def _post(url: str, form: str) -> None:
    urllib.request.urlopen(url, data=form.encode(), timeout=30).read()


def _poll(url: str, good: Callable[[str], bool]) -> None:
    def look() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return good(answer.read().decode())
        except OSError:
            return False

    assert until(look, PATIENCE_S), url


def test_without_the_password_it_says_what_to_set(shop: StandinShop, tmp_path: Path) -> None:
    out, _ = (process := locust(shop, tmp_path, "--headless", TWINSHOP_PASSWORD="")).communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "TWINSHOP_PASSWORD is not set" in out
    assert "Traceback" not in out
    assert shop.seen() == []
