"""A small, quick shop for testing shoppers: the JSON interface in one process, which misbehaves as it is told.

`python standin_shop.py RUN` prints its port and serves until its stdin closes. `POST /-/rule` with
`{"at": "GET /me", "times": 1, "do": "close"}` makes the next such request go wrong; `GET /-/seen` lists what came in.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from typing import Any

RUN = sys.argv[1] if len(sys.argv) > 1 else ""
REASONS = {200: "OK", 201: "Created", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 503: "Unavailable"}

SLOW_S = 0.2
"""What the slow page takes."""

sessions: dict[str, dict[str, Any]] = {}
orders: dict[str, list[dict[str, Any]]] = {}
rules: list[dict[str, Any]] = []
seen: list[list[str]] = []
numbers = itertools.count(1)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await answer_one(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    if path.startswith("/-/"):
        writer.write(message(200, control(method, path, raw), {}))
        return True
    seen.append([method, path, headers.get("x-request-id", ""), headers.get("cookie", "")])
    if path == "/orders/progress":
        return await stream(headers, writer)
    if path == "/recommendations":
        await asyncio.sleep(SLOW_S)
    status, shown, extra = shop(method, path, headers, json.loads(raw or b"{}"))
    extra |= {"X-Node": "n1", "X-Run": RUN, "X-Request-Id": headers.get("x-request-id", "")}
    return await misbehave(rule_for(method, path), writer, status, shown, extra)


async def stream(headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
    """An event each 50 ms, until the client goes or a rule drops it after so many events."""
    marks = {"X-Node": "n1", "X-Run": RUN, "X-Request-Id": headers.get("x-request-id", "")}
    if mine(headers) is None:
        writer.write(message(401, {"error": "not_logged_in"}, marks))
        return True
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in marks.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    word, _, detail = rule_for("GET", "/orders/progress").partition(" ")
    for number in itertools.count():
        if word and number >= int(detail):
            if word == "finish":
                writer.write(b"0\r\n\r\n")
            return word == "finish"
        event = f"data: {number}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(0.05)
    return False


async def misbehave(do: str, writer: asyncio.StreamWriter, status: int, shown: Any, extra: dict[str, str]) -> bool:
    word, _, detail = do.partition(" ")
    if word == "hang":
        await asyncio.sleep(float(detail))
    elif word in ("close", "truncate", "garble", "drip"):
        await break_off(word, detail, writer, message(status, shown, extra))
        return False
    writer.write(message(*changed(word, detail, status, shown, extra)))
    await writer.drain()
    return True


async def break_off(word: str, detail: str, writer: asyncio.StreamWriter, whole: bytes) -> None:
    if word == "truncate":
        writer.write(whole[:-4])
    elif word == "garble":
        writer.write(b"HTTP/1.1 what\r\n\r\n")
    elif word == "drip":
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(float(detail))


def changed(word: str, detail: str, status: int, shown: Any, extra: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
    length = int(detail) if detail.isdigit() else 0
    passed_on = {"server": "envoy", "x-envoy-upstream-service-time": "1"}
    answers: dict[str, tuple[int, Any, dict[str, str]]] = {
        "status": (length, {"error": "told to"}, extra),
        "balancer": (503, "no healthy upstream", {"server": "envoy"}),
        "foreign": (status, shown, {"X-Run": detail} if detail else passed_on),
        "cookie": (status, shown, extra | {"Set-Cookie": f"extra={'x' * length}; Path=/"}),
        "redirect": (302, shown, extra | {"Location": "/products"}),
        "unreadable": (status, "<html>", extra),
    }
    return answers.get(word, (status, shown, extra))


def rule_for(method: str, path: str) -> str:
    for rule in rules:
        if rule["at"] in ("*", f"{method} {path}") and rule["times"]:
            rule["times"] -= 1
            return str(rule["do"])
    return ""


def control(method: str, path: str, raw: bytes) -> Any:
    if path == "/-/rule":
        rules.append(json.loads(raw))
    elif path == "/-/forget":
        sessions.clear()
    elif path == "/-/no-rules":
        rules.clear()
    return seen


def shop(method: str, path: str, headers: dict[str, str], sent: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    if path == "/products":
        return 200, {"products": []}, {}
    if (method, path) == ("GET", "/login"):
        return 200, "<html>", {"Set-Cookie": f"session=s{next(numbers)}; Path=/; HttpOnly"}
    if path == "/login":
        session = f"s{next(numbers)}"
        sessions[session] = {"user": sent["user"], "cart": {}}
        return 200, {"user": sent["user"]}, {"Set-Cookie": f"session={session}; Path=/; HttpOnly"}
    session = mine(headers)
    if session is None:
        return 401, {"error": "not_logged_in"}, {}
    return known(method, path, headers, sent, sessions[session], session)


def mine(headers: dict[str, str]) -> str | None:
    cookies = dict(part.split("=", 1) for part in headers.get("cookie", "").split("; ") if part)
    session = cookies.get("session", "")
    return session if session in sessions else None


def known(
    method: str, path: str, headers: dict[str, str], sent: dict[str, Any], mine: dict[str, Any], session: str
) -> tuple[int, Any, dict[str, str]]:
    user, cart = mine["user"], mine["cart"]
    if path == "/me":
        return 200, {"user": user, "node": "n1", "cart": cart}, {}
    if path == "/orders":
        return 200, {"orders": orders.get(user, [])}, {}
    if path == "/checkout":
        return *order_of(user, cart, headers["idempotency-key"]), {}
    if path.startswith("/logout"):
        end(user, "" if path == "/logout/everywhere" else session)
        return 200, {"user": user}, {}
    if path == "/recommendations":
        return 200, {"products": []}, {}
    if method == "POST":
        cart[sent["sku"]] = cart.get(sent["sku"], 0) + sent["quantity"]
    elif method == "DELETE":
        cart.pop(path.removeprefix("/cart/"), None)
    return 200, {"cart": cart}, {}


def end(user: str, only: str) -> None:
    for session in [session for session in sessions if sessions[session]["user"] == user]:
        if session == only or not only:
            del sessions[session]


def order_of(user: str, cart: dict[str, int], key: str) -> tuple[int, Any]:
    if not cart:
        return 400, {"error": "empty_cart"}
    order = {"order": f"o{next(numbers)}", "key": key, "lines": dict(cart)}
    orders.setdefault(user, []).append(order)
    cart.clear()
    return 201, order


def message(status: int, shown: Any, headers: dict[str, str]) -> bytes:
    body = shown.encode() if isinstance(shown, str) else json.dumps(shown).encode()
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whoever is still being made to wait need not be told


if __name__ == "__main__":
    asyncio.run(main())
