"""The shoppers' cookies against a real Chromium's: both are sent the same, and both are asked what they kept.

A difference here would make the load find losses that no customer has, or miss those that they have.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.loadtests.standins import in_load_process

pytestmark = pytest.mark.browser

LONG = 4096 - len("s")
CASES: dict[str, tuple[tuple[str, ...], ...]] = {
    # what each of some answers sets, one after the other
    "a cookie of 4,096 bytes is kept": ((f"s={'x' * LONG}; Path=/",),),
    "a longer one is ignored, and the older one stays": (("s=old; Path=/",), (f"s={'x' * (LONG + 1)}; Path=/",)),
    "what scripts may not see is sent all the same": (("s=1; Path=/; HttpOnly",),),
    "a path that is not asked for keeps it at home": (("s=1; Path=/cart",), ("t=1; Path=/shop",)),
    "the longer path comes first": (("s=root; Path=/",), ("s=shop; Path=/shop",), ("t=1; Path=/",)),
    "without a path it is the folder's": (("s=1",),),
    "a path is not a mere beginning of a name": (("s=1; Path=/sho",),),
    "Max-Age=0 deletes": (("s=1; Path=/",), ("s=; Path=/; Max-Age=0",)),
    "an expiry in the past deletes": (("s=1; Path=/",), ("s=2; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",)),
    "Max-Age beats Expires": (("s=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",),),
    "deleting under another path deletes another one": (("s=1; Path=/",), ("s=; Path=/cart; Max-Age=0",)),
    "the last one overwrites": (("s=1; Path=/",), ("s=2; Path=/",)),
    "of two in one answer the last one counts": (("s=1; Path=/", "s=2; Path=/"),),
    "Lax and Strict are sent to the same site": (("s=1; Path=/; SameSite=Lax", "t=1; Path=/; SameSite=Strict"),),
    "SameSite=None without Secure is refused": (("s=1; Path=/; SameSite=None",),),
    "Secure is kept on one's own machine": (("s=1; Path=/; Secure", "t=1; Path=/; Secure; SameSite=None"),),
    "for somebody else's domain it is refused": (("s=1; Path=/; Domain=example.com",),),
    "for one's own address it is kept": (("s=1; Path=/; Domain=127.0.0.1",),),
    "an empty value is a value": (("s=; Path=/",),),
    "quotes belong to the value": (('s="a b"; Path=/', 't="x"; Path=/'),),
    "an equals sign in the value is no harm": (("s=a=b==; Path=/",),),
    "many keep their order": (("c=1; Path=/", "a=2; Path=/"), ("b=3; Path=/", "a=4; Path=/")),
    "the same value again keeps its place": (("c=1; Path=/", "a=2; Path=/"), ("c=1; Path=/",)),
    "attributes may be written anyhow": (("s=1;path=/;httponly;SAMESITE=lax",),),
}

ASK = """
from loadtests.load.client import StrictSession, assert_strict
from loadtests.model.plan import ClientLimits
assert_strict()
url, cases = sys.argv[1], json.loads(sys.argv[2])
told = {}
for name, count in cases.items():
    session = StrictSession(url, ClientLimits())
    refused = False
    for number in range(count):
        refused |= session.ask("GET", f"/shop/set?case={name}&number={number}", {}).cookie_refused
    told[name] = [json.loads(session.ask("GET", "/shop/sent", {}).body), refused]
    session.close()
print(json.dumps(told))
"""


class Setter(BaseHTTPRequestHandler):
    """`/shop/set?case=…&number=…` sets that case's cookies, `/shop/sent` shows the Cookie header that came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        body = json.dumps(self.headers.get("Cookie", "")).encode()
        self.send_response(200)
        if asked.path == "/shop/set":
            query = parse_qs(asked.query)
            for cookie in list(CASES.values())[int(query["case"][0])][int(query["number"][0])]:
                self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody is interested."""


class Quiet(ThreadingHTTPServer):
    """Chromium asks for things (a picture for its tab) that it then does not wait for."""

    def handle_error(self, *_: object) -> None:
        """Nobody is interested."""


@contextmanager
def setting() -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Setter) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(timeout=30)


def of_chromium(browser: Browser, url: str) -> list[str]:
    """The Cookie header that it sends after each case, without cookies of the case before."""
    sent = []
    context = browser.new_context()
    page = context.new_page()
    for case, answers in enumerate(CASES.values()):
        context.clear_cookies()
        for number in range(len(answers)):
            page.goto(f"{url}/shop/set?case={case}&number={number}")
        page.goto(f"{url}/shop/sent")
        sent.append(json.loads(page.inner_text("body")))
    context.close()
    return sent


def test_they_keep_and_send_the_same(browser: Browser) -> None:
    counts = {str(case): len(answers) for case, answers in enumerate(CASES.values())}
    with setting() as url:
        ours = in_load_process(ASK, url, json.dumps(counts))
        theirs = of_chromium(browser, url)
    told = {name: ours[str(case)][0] for case, name in enumerate(CASES)}
    assert told == dict(zip(CASES, theirs, strict=True))
    refused = [name for case, name in enumerate(CASES) if ours[str(case)][1]]
    assert refused == ["a longer one is ignored, and the older one stays"]
    assert told["a longer one is ignored, and the older one stays"] == "s=old"
    assert len(told["a cookie of 4,096 bytes is kept"]) == 4097
    assert any(theirs), "a browser that keeps nothing would agree with a client that keeps nothing"
