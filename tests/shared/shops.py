"""Shops to test: nodes of either twin in this process, and visitors who speak JSON or read pages."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.test import TestResponse

import stateful_app
import stateless_app
from shared.shop.database import prepare
from shared.shop.settings import Settings

PASSWORD = "correct horse"
CHEAP = 128
"""The lowest cost of a password hash: what is tested is not how slow scrypt is."""
CONTROL_TOKEN = "control-token-of-the-tests"
JSON = "application/json"


@dataclass(frozen=True)
class Node:
    """One node of a shop."""

    app: Flask
    settings: Settings

    @property
    def log(self) -> Path:
        return Path(self.settings.request_log)

    def visitor(self) -> JsonVisitor:
        return JsonVisitor(self.app)

    def reader(self) -> PageVisitor:
        return PageVisitor(self.app)

    def turn_clock(self, ahead_s: int) -> None:
        """Its clock is so far ahead: tests own the time in which things end."""
        told = self.visitor().ask("PUT", "/-/trouble", {"clock_ahead_s": ahead_s}, {"X-Control-Token": CONTROL_TOKEN})
        assert told.status_code == 200


@cache
def prepared() -> bytes:
    """A database in which nobody has shopped yet. It is made once: a thousand tests begin with it."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(f"sqlite:///{folder}/shop.sqlite", accounts=9, password=PASSWORD, cost=CHEAP)
        assert [path.name for path in Path(folder).iterdir()] == ["shop.sqlite"], "all of it is in one file"
        return (Path(folder) / "shop.sqlite").read_bytes()


def node(folder: Path, store: str, **changes: Any) -> Node:
    """A node whose database is in that folder; nodes of one folder are nodes of one cluster."""
    url = f"sqlite:///{folder}/shop.sqlite"
    if not (folder / "shop.sqlite").exists():
        (folder / "shop.sqlite").write_bytes(prepared())
    name = changes.setdefault("node", "n1")
    settings = Settings(
        **{
            "database_url": url,
            "secret_key": "the secret key of the tests",
            "run": "0a1b2c3d",
            "store": store,
            "password_cost": CHEAP,
            "slow_page_ms": 0,
            "request_log": f"{folder}/{name}.requests.ndjson",
            "control_token": CONTROL_TOKEN,
            **changes,
        }
    )
    twin = stateful_app if store in {"memory", "replicated"} else stateless_app
    app = twin.create_app(settings)
    app.jinja_env.bytecode_cache = _COMPILED
    return Node(app, settings)


class _Compiled(BytecodeCache):
    """Templates as they were compiled for one node, for the thousand others of a test process."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Jinja asks before it compiles one; the key has its name, its file and a hash of what stands in it."""
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """It has compiled one."""
        self._known[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


class JsonVisitor:
    """A client that speaks JSON, with a cookie jar."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> TestResponse:
        sent = {"Accept": JSON, **(headers or {})}
        if method != "GET":
            sent.setdefault("Content-Type", JSON)
        if isinstance(body, bytes):
            return self.client.open(path, method=method, data=body, headers=sent)
        if body is None:
            return self.client.open(path, method=method, headers=sent)
        return self.client.open(path, method=method, json=body, headers=sent)

    def chunked(self, method: str, path: str, body: bytes) -> TestResponse:
        """The same, of a client that does not tell how long its body is."""
        sent = {"Accept": JSON, "Content-Type": JSON, "Transfer-Encoding": "chunked"}
        stream = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
        return self.client.open(path, method=method, headers=sent, environ_overrides=stream)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.ask("POST", path, body, headers)

    def login(self, user: str = "user-0001") -> JsonVisitor:
        answer = self.post("/login", {"user": user, "password": PASSWORD})
        assert (answer.status_code, answer.json) == (200, {"user": user})
        return self

    def add(self, sku: str, quantity: int = 1) -> TestResponse:
        return self.post("/cart", {"sku": sku, "quantity": quantity})

    def cart(self) -> dict[str, int]:
        answer = self.get("/cart")
        assert answer.status_code == 200, answer.text
        cart: dict[str, int] = answer.json["cart"]
        return cart

    def checkout(self, key: str | None = None) -> TestResponse:
        return self.ask("POST", "/checkout", headers={"Idempotency-Key": key} if key else {})


class PageVisitor:
    """A browser without a script: it reads pages and sends the forms that are on them."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    def send(self, action: str, **fields: str) -> TestResponse:
        return self.client.post(action, data=fields, headers={"Accept": "text/html,*/*;q=0.8"})

    def submit(self, page: str, action: str, **fields: str) -> TestResponse:
        """Fill in the form with that action on that page, and send it with everything that it hides."""
        forms = re.findall(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', self.get(page).text, re.DOTALL)
        assert forms, f"no form for {action} on {page}"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', forms[0]))
        return self.send(action, **{**hidden, **fields})

    def login(self, user: str = "user-0001") -> PageVisitor:
        answer = self.submit("/login", "/login", user=user, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return self
