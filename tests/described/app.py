"""A web application that remembers a note, whole or broken in one of many ways: app.py PORT; the environment has BREAK.

Sessions are files of a folder, or in memory, or signed tokens in the cookie. It starts at once: it imports nothing but
the standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import socket
import sys
import threading
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

BREAK, SESSIONS, NODE = (os.environ.get(name, "") for name in ("BREAK", "SESSIONS", "NODE"))
FOLDER, SECRET = Path(os.environ["FOLDER"]), os.environ["SECRET"]
MEMORY: dict[str, dict[str, str]] = {}
LOCK = threading.Lock()
COUNTS: dict[str, int] = {}
LAST: dict[str, str] = {}
SEEN: list[str] = []
STARTS = FOLDER / f"{NODE}.starts"
STARTS.write_text(str(int(STARTS.read_text()) + 1 if STARTS.exists() else 1))
AGE = int(STARTS.read_text())
COOKIE = f"session{AGE}" if BREAK == "cookie renamed on deploy" else "session"
AHEAD_S = 3600 if BREAK == "clock skew" and NODE == "n2" else 0
FORM_KEY = secrets.token_hex(8) if BREAK == "csrf token per node" else SECRET


def every(what: str, times: int) -> bool:
    """Whether this is the so manieth time."""
    with LOCK:
        COUNTS[what] = COUNTS.get(what, 0) + 1
        return COUNTS[what] % times == 0


def signed(text: str) -> str:
    return f"{text}.{hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    session: dict[str, str]
    key: str

    def do_GET(self) -> None:
        self.begin()
        if self.path == "/health":
            self.answer(200, "well")
        elif self.path.startswith("/loop"):
            self.go_to("/loop2" if self.path == "/loop" else "/loop")
        elif "user" not in self.session:
            self.answer(401, "who are you?")
        elif BREAK == "redirect loops" and every("who", 7):
            self.go_to("/loop")
        else:
            user, note = self.session["user"], self.session.get("note", "")
            if BREAK == "somebody else's session":  # each time, for who looks at a name here, and when, is by chance
                user = next((name for name in SEEN if name != user), user)
            if BREAK == "somebody else's note":
                note = LAST.get("note", note)
            token = hmac.new(FORM_KEY.encode(), b"form", hashlib.sha256).hexdigest()
            self.answer(200, f"<b>{user}</b><q>{note}</q><input name=csrf value={token}>")

    def do_POST(self) -> None:
        self.begin()
        form = {name: values[0] for name, values in parse_qs(self.sent.decode()).items()}
        if self.path == "/login":
            self.log_in(form)
        elif "user" not in self.session:
            self.answer(401, "who are you?")
        elif form.get("csrf") != hmac.new(FORM_KEY.encode(), b"form", hashlib.sha256).hexdigest():
            self.answer(400, "the form is too old")
        elif self.path == "/logout":
            if BREAK != "logout that does not":
                self.end()
            self.answer(200, "bye", cookie="")
        else:
            self.remember(form["note"])

    def log_in(self, form: dict[str, str]) -> None:
        if form.get("password") != "example":
            self.answer(403, "wrong")
            return
        if BREAK == "login that is none" and every("login", 3):
            self.answer(200, "welcome")
            return
        if BREAK == "notes emptied at login":
            for file in FOLDER.glob("*.json"):
                self.write(file.stem, json.loads(file.read_text()) | {"note": ""})
        self.key = secrets.token_hex(8)
        self.session = {"user": form["user"]}
        SEEN.append(form["user"])
        self.save()
        self.answer(200, "welcome", cookie=self.key)

    def remember(self, note: str) -> None:
        if not (BREAK == "every fifth note is lost" and every("note", 5)):
            self.session["note"] = LAST["note"] = note
            self.save()
        failed = BREAK == "error after the commit" and every("error", 4)
        self.answer(500 if failed else 200, "", cookie=self.key)

    # sessions

    def begin(self) -> None:
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        self.key = cookie.value if cookie else ""
        self.session = self.load(self.key) if self.key else {}
        if BREAK == "lost on every tenth request" and self.path != "/health" and every("request", 10):
            self.session = {}

    def load(self, key: str) -> dict[str, str]:
        if SESSIONS == "token":
            text, _, _ = key.rpartition(".")
            when, _, rest = text.partition("|")
            fresh = signed(text) == key and float(when) <= time.time() + AHEAD_S + 5
            return dict(json.loads(bytes.fromhex(rest))) if fresh else {}
        if SESSIONS == "memory":
            return MEMORY.get(key, {})
        file = FOLDER / f"{key}.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def save(self) -> None:
        if SESSIONS == "token":
            self.key = signed(f"{time.time() + AHEAD_S}|{json.dumps(self.session).encode().hex()}")
        elif SESSIONS == "memory":
            MEMORY[self.key] = self.session
        else:
            self.write(self.key, self.session)

    def write(self, key: str, session: dict[str, str]) -> None:
        draft = FOLDER / f"{secrets.token_hex(6)}.draft"
        draft.write_text(json.dumps(session))
        draft.replace(FOLDER / f"{key}.json")

    def end(self) -> None:
        MEMORY.pop(self.key, None)
        (FOLDER / f"{self.key}.json").unlink(missing_ok=True)

    # answers

    def go_to(self, where: str) -> None:
        self.answer(302, "", where=where)

    def answer(self, status: int, text: str, *, cookie: str | None = None, where: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        if cookie is not None:
            self.send_header("Set-Cookie", f"{COOKIE}={cookie}; Path=/" + ("" if cookie else "; Max-Age=0"))
        if where:
            self.send_header("Location", where)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        super().server_bind()


server = Server((os.environ.get("HOST", "127.0.0.1"), int(sys.argv[1])), Handler)
if BREAK == "four workers":
    for _ in range(3):
        if os.fork() == 0:
            break
server.serve_forever()
