"""A description is read strictly: what makes no sense is told with its line and key, all of it at once."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from compose.applications.description_file import description_schema, load_description, read_description
from compose.description import Description, Extract, architectures_of
from shared.errors import DescriptionError
from tests.applications import EXAMPLES

GOOD = """\
name = "notes"
csrf = { css = "input[name=csrf]", attribute = "value" }

[node]
command = ["python", "app.py", "{port}"]
ready = "/login"
env = { SECRET = "{secret}" }

[accounts]
pattern = "user-{number}"
password = "hush-hush"

[login]
page = "/login"
send = "POST /login"
form = { name = "{user}", pass = "{password}", csrf = "{csrf}" }

[who]
send = "GET /me"
user = { css = "#user" }

[remember]
page = "/note"
send = "POST /note"
form = { note = "{value}", csrf = "{csrf}" }

[recall]
send = "GET /note"
value = { json = "/note" }

[logout]
send = "POST /logout"

[variant.memory]
sessions = "memory"
env = { WHERE = "memory" }

[variant.redis]
sessions = "redis"
affinity = "round-robin"
env = { WHERE = "{store}" }
"""


def read(text: str) -> Description:
    return read_description(text.encode(), file="notes.toml", folder="/somewhere")


def test_what_stands_there_is_what_is_read() -> None:
    it = read(GOOD)
    assert (it.name, it.folder, it.login.method, it.login.path) == ("notes", "/somewhere", "POST", "/login")
    assert it.who.user == Extract(css="#user")
    found = architectures_of(it)
    assert {name: (its.store, its.affinity, its.app) for name, its in found.items()} == {
        "notes-memory": ("memory", "cookie", "described"),
        "notes-redis": ("redis", "round-robin", "described"),
    }


def test_one_without_variants_is_one_architecture_of_which_nothing_is_known() -> None:
    it = read(GOOD.partition("[variant")[0])
    assert {name: its.store for name, its in architectures_of(it).items()} == {"notes": "unknown"}


BAD = [
    # what is written, in whose place, what is said of it
    ('name = "notes"', 'name = "My Notes"', "line 1, name", "no name"),
    ('name = "notes"', "name = 7", "line 1, name", "expected `str`"),
    ('name = "notes"', "", "name", "missing required field `name`"),
    ('name = "notes"', 'name = "notes"\nfolder = "/"', "line 2, folder", "no key 'folder'"),
    ('name = "notes"', 'name = "notes"\nstranger = { css = "p[" }', "line 2, stranger", "no CSS selector"),
    ('name = "notes"', 'name = "notes"\nstranger = { stauts = 403 }', "line 2, stranger", "no key 'stauts'"),
    ('name = "notes"', 'name = "notes"\nheaders = { A = "{token}" }', "line 2, headers", "where {token} comes from"),
    ('attribute = "value" }', 'regex = "(.)" }', "line 2, csrf", "2 ways (css, regex)"),
    ('css = "input[name=csrf]"', 'json = "/csrf"', "line 2, csrf", "an attribute is of an element"),
    ("csrf = {", "csfr = {", "line 2, csfr", "did you mean 'csrf'?"),
    ('command = ["python", "app.py", "{port}"]', "command = []", "line 5, node.command", "it is empty"),
    ('"{port}"]', '"8000"]', "line 5, node.command", "no node would know where to listen"),
    ('"{port}"]', '"{port}", "{prot}"]', "line 5, node.command", "{prot} stands for nothing"),
    (
        'command = ["python", "app.py", "{port}"]',
        'command = "python {port}"',
        "line 5, node.command",
        "expected `array`",
    ),
    ('ready = "/login"', 'ready = "login"', "line 6, node.ready", "no path"),
    ('ready = "/login"', "", "line 4, node", "missing required field `ready`"),
    ('ready = "/login"', 'ready = "/login"\nready_within_s = 0.1', "line 7, node.ready_within_s", "0.1 s"),
    ('"{secret}"', '"{sceret}"', "line 7, node.env", "did you mean 'secret'?"),
    ("SECRET = ", "SECRET = 1 #", "line 7", "TOML"),
    ('pattern = "user-{number}"', 'pattern = "user"', "line 10, accounts.pattern", "same account"),
    ('pattern = "user-{number}"', 'pattern = "{name}"', "line 10, accounts.pattern", "'name'"),
    ('password = "hush-hush"', "", "line 9, accounts", "no password"),
    ('pattern = "user-{number}"', "", "line 9, accounts", "0 sources of accounts"),
    ('password = "hush-hush"', 'list = [["a", "b"]]', "line 9, accounts", "2 sources of accounts"),
    ('pattern = "user-{number}"', 'list = [["a", "b"], ["a", "c"]]', "line 10, accounts.list", "a name is there twice"),
    ('send = "POST /login"', 'send = "/login"', "line 15, login.send", "no request"),
    ('send = "POST /login"', 'send = "FETCH /login"', "line 15, login.send", "no request"),
    ('send = "POST /login"', 'send = "GET /login"', "line 15, login.send", "a GET sends no body"),
    ('pass = "{password}"', 'pass = "x"', "line 13, login", "does not send {user} and {password}"),
    ('pass = "{password}"', 'pass = "{pasword}"', "line 13, login", "did you mean 'password'?"),
    ('page = "/login"', "", "line 13, login", "no page that {csrf} could be taken from"),
    ('csrf = { css = "input[name=csrf]", attribute = "value" }', "", "line 13, login", "where {csrf} stands"),
    ('page = "/login"', 'page = "login"', "line 14, login.page", "no path"),
    ('send = "POST /login"', 'send = "POST /login"\njson = { a = "b" }', "line 13, login", "a form and JSON"),
    ("[login]", "[logn]", "line 13, logn", "did you mean 'login'?"),
    ('user = { css = "#user" }', 'user = { css = "#" }', "line 20, who.user", "no CSS selector"),
    ('user = { css = "#user" }', 'user = { json = "user" }', "line 20, who.user", "begins with a slash"),
    ('user = { css = "#user" }', 'user = { regex = "Hello" }', "line 20, who.user", "0 groups"),
    ('user = { css = "#user" }', 'user = { regex = "(" }', "line 20, who.user", "no regular expression"),
    ('user = { css = "#user" }', "user = {}", "line 20, who.user", "0 ways"),
    ('note = "{value}"', 'note = "x"', "line 22, remember", "does not send {value}"),
    ('page = "/note"', 'keeps = "some"', "line 23, remember.keeps", "'some'"),
    ('value = { json = "/note" }', "", "line 27, recall", "recall.value"),
    ('affinity = "round-robin"', 'affinity = "sticky"', "line 40, variant.redis.affinity", "'sticky'"),
    ('sessions = "redis"', 'sessions = "valkey"', "line 39, variant.redis.sessions", "'valkey'"),
    ("[variant.redis]", '[variant."Big Redis"]', "line 38", "no name"),
    ('"{store}"', '"{redis}"', "variant.redis.env", "{redis} stands for nothing"),
    ("[logout]", "[logout", "line 31", "TOML"),
    # What nobody can start, or send.
    ('"app.py"', '"app\\u0000.py"', "line 5, node.command", "a character \\u0000"),
    ('SECRET = "{secret}"', 'SECRET = "a\\u0000"', "line 7, node.env", "a character \\u0000"),
    ('WHERE = "memory"', '"WHERE=" = "memory"', "variant.memory.env", "no name of a variable"),
    ('WHERE = "memory"', '"" = "memory"', "variant.memory.env", "no name of a variable"),
    ('pattern = "user-{number}"\npassword = "hush-hush"', 'command = ["a\\u0000"]', "accounts.command", "\\u0000"),
    ('ready = "/login"', 'ready = "/log in"', "line 6, node.ready", "cannot be sent"),
    ('page = "/login"', 'page = "/login\\r\\nX: y"', "line 14, login.page", "cannot be sent"),
    ('"GET /me"', '"GET /mé"', "line 19, who.send", "%C3%A9"),
    ('"GET /me"', '"GET /me HTTP/1.1"', "line 19, who.send", "cannot be sent"),
    ('"GET /me"', '"GET /me"\nheaders = { "X Y" = "z" }', "line 20, who.headers", "cannot be sent"),
    ('"GET /me"', '"GET /me"\nheaders = { X = "y\\r\\nZ: a" }', "line 20, who.headers", "cannot be sent"),
    ('name = "notes"', 'name = "notes"\nheaders = { X = "→" }', "line 2, headers", "cannot be sent"),
    ('page = "/login"', 'page = "/login"\nok = { redirect = "/so and so" }', "login.ok.redirect", "cannot be sent"),
    ('page = "/login"', 'page = "/login"\nok = { redirect = "home" }', "line 15, login.ok.redirect", "no path"),
]


SERVICE = """\
[service]
compose = "compose.yaml"
name = "web"
port = 8000
ready = "/login"
"""
BAD_SERVICES = [
    ("port = 8000", "port = 80000", "service.port", "80000 is no port"),
    ("port = 8000", 'port = 8000\nenv = { A = "{own}" }', "service.env", "{own} stands for nothing"),
    ('ready = "/login"', 'ready = "login"', "service.ready", "no path"),
    ("port = 8000", "prot = 8000", "service.prot", "did you mean 'port'?"),
    ("[service]", '[node]\ncommand = ["x", "{port}"]\nready = "/"\n[service]', "node", "started in two ways"),
]


@pytest.mark.parametrize(("written", "instead", "where", "what"), BAD_SERVICES)
def test_a_service_that_makes_no_sense(written: str, instead: str, where: str, what: str) -> None:
    head, _, rest = GOOD.partition("[node]")
    accounts = rest.partition("[accounts]")[2]
    with pytest.raises(DescriptionError) as refused:
        read(f"{head}{SERVICE.replace(written, instead)}[accounts]{accounts}")
    told = f"{refused.value.what} {refused.value.why}"
    assert where in told
    assert what in told


def test_a_service_is_read(tmp_path: Path) -> None:
    head, _, rest = GOOD.partition("[node]")
    it = read(f"{head}{SERVICE}[accounts]{rest.partition('[accounts]')[2]}")
    assert it.service is not None
    assert (it.service.name, it.nodes.ready, it.service.ready_within_s) == ("web", "/login", 30.0)


@pytest.mark.parametrize(("written", "instead", "where", "what"), BAD)
def test_what_makes_no_sense_is_told_with_its_place(written: str, instead: str, where: str, what: str) -> None:
    assert written in GOOD
    with pytest.raises(DescriptionError) as caught:
        read(GOOD.replace(written, instead, 1))
    told = str(caught.value)
    assert (caught.value.exit_code, bool(caught.value.next_step)) == (2, True)
    assert where in told
    assert what in told
    assert "hush-hush" not in told


def test_all_that_makes_no_sense_is_told_at_once() -> None:
    text = GOOD.replace('name = "notes"', 'name = "N"').replace('ready = "/login"', 'ready = "x"')
    with pytest.raises(DescriptionError, match="2 things make no sense") as caught:
        read(text)
    assert "line 1, name" in caught.value.why
    assert "line 6, node.ready" in caught.value.why


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="cannot read"):
        load_description(tmp_path / "none.toml")
    (tmp_path / "long.toml").write_text("#" * 200_000)
    with pytest.raises(DescriptionError, match="too large"):
        load_description(tmp_path / "long.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"')
    with pytest.raises(DescriptionError, match="not TOML"):
        load_description(tmp_path / "latin.toml")


def test_the_schema_knows_every_example() -> None:
    schema = msgspec.json.decode(description_schema())
    for file in sorted(EXAMPLES.glob("*/app.toml")):
        document = msgspec.toml.decode(file.read_bytes())
        jsonschema.validate(document, schema)
        load_description(file)
        assert len(file.read_text().splitlines()) <= 40, file


def test_the_examples_are_short() -> None:
    programs = [file for folder in EXAMPLES.iterdir() for file in folder.glob("[Aai][pn]*.*") if file.suffix != ".toml"]
    assert len(programs) >= 5
    assert not [file for file in programs if len(file.read_text().splitlines()) > 80]


def test_a_word_that_stands_for_nothing_is_told_once_however_often_it_is_there() -> None:
    with pytest.raises(DescriptionError) as raised:
        read(GOOD.replace('"{port}"]', '"{port}", "{prot}", "{prot}/{prot}"]'))
    assert str(raised.value).count("stands for nothing") == 1
