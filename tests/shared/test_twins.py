"""The twins are identical but for `sessions.py`: their files, their routes, their pages, their headers."""

from __future__ import annotations

import filecmp
import re
from pathlib import Path

import stateful_app
import stateless_app
from tests.shared.shops import JSON, Node, node

STATEFUL, STATELESS = Path(stateful_app.__file__).parent, Path(stateless_app.__file__).parent


def files(twin: Path) -> list[str]:
    return sorted(
        str(path.relative_to(twin)) for path in twin.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def test_they_differ_in_one_file() -> None:
    assert files(STATEFUL) == files(STATELESS) == ["__init__.py", "sessions.py"]
    same, different, odd = filecmp.cmpfiles(STATEFUL, STATELESS, files(STATEFUL), shallow=False)
    assert (same, different, odd) == (["__init__.py"], ["sessions.py"], [])


def test_the_same_routes(tmp_path: Path) -> None:
    def routes(shop: Node) -> list[tuple[str, str, list[str]]]:
        rules = shop.app.url_map.iter_rules()
        return sorted((rule.rule, rule.endpoint, sorted(rule.methods or ())) for rule in rules)

    stateful, stateless = node(tmp_path, "memory"), node(tmp_path, "token")
    assert routes(stateful) == routes(stateless)
    assert ("/cart", "goods.add", ["OPTIONS", "POST"]) in routes(stateful)


def test_the_same_templates_and_pictures(tmp_path: Path) -> None:
    stateful, stateless = node(tmp_path, "memory").app, node(tmp_path, "token").app
    assert sorted(stateful.jinja_env.list_templates()) == sorted(stateless.jinja_env.list_templates())
    assert stateful.static_folder == stateless.static_folder


def test_the_same_answers_but_for_cookies_and_colours(tmp_path: Path) -> None:
    def told(shop: Node) -> list[tuple[int, list[tuple[str, str]], str]]:
        client, heard = shop.app.test_client(), []
        body = {"user": "user-0001", "password": "correct horse", "sku": "acorn", "quantity": 2}
        steps = [("POST", "/login"), ("POST", "/cart"), ("GET", "/me"), ("GET", "/nowhere"), ("DELETE", "/cart/acorn")]
        for accept in (JSON, "text/html"):
            for method, path in [*steps, ("GET", "/"), ("GET", "/cart"), ("POST", "/logout"), ("GET", "/me")]:
                answer = client.open(path, method=method, json=body, headers={"Accept": accept, "X-Request-Id": "r"})
                headers = [header for header in answer.headers if header[0] not in {"Set-Cookie", "Content-Length"}]
                heard.append((answer.status_code, headers, "" if accept != JSON else answer.text))
        return heard

    assert told(node(tmp_path, "memory")) == told(node(tmp_path, "token"))


def test_in_a_workshop_each_page_says_which_shop_it_is_and_where_the_password_stands(tmp_path: Path) -> None:
    plain, named = (node(tmp_path, "memory", shop_title=title).reader() for title in ("", "left shop"))
    for path in ("/", "/login", "/cart", "/nowhere"):
        ours, theirs = plain.get(path).text, named.get(path).text
        assert "<title>left shop · " in theirs
        assert "<em>left shop<br>stateful</em>" in theirs
        assert "<em>stateful</em>" in ours
        assert "left shop" not in ours
    login, guests = plain.get("/login").text, named.get("/login").text
    assert ("Everybody here is a demo" in login, "guest-" in login) == (True, False)
    assert ("Everybody here is a demo" in guests, "guest-" in guests) == (False, True)


def test_the_same_page_but_for_colours_and_where(tmp_path: Path) -> None:
    def page(store: str) -> str:
        text = node(tmp_path, store).reader().login().get("/").text
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", text)
        text = re.sub(r"\?v=[0-9a-f]+", "", text)
        return re.sub(r"stateful|stateless|in the memory of this node|in your cookie, signed", "", text)

    assert page("memory") == page("token")
