"""Reads the description of an application from TOML, strictly: every error has its line and its key."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from compose.applications.extraction import bad_selector, why_not
from compose.architectures import did_you_mean
from compose.description import (
    IN_CONTAINERS,
    IN_REQUESTS,
    PLACES,
    AccountSource,
    DescribedVariant,
    Description,
    LoginCall,
    NodeCommand,
    NodeService,
    RecallCall,
    RememberCall,
    WhoCall,
)
from compose.interface import Call
from shared.errors import DescriptionError
from shared.toml_places import nearest_line, toml_place

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_BYTES = 100_000
_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_WORD = re.compile(r"\{([A-Za-z_]+)(?::[^{}]*)?\}")  # "{number:04d}" is a word, {"a": 1} is not
_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`")
_IN_PATHS = re.compile(r"[!-~]*")  # RFC 3986: what is beyond ASCII stands there as %C3%A9
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, a token
_HEADER_VALUE = re.compile(r"[\t -~\xa0-\xff]*")
CALLS = ("login", "who", "remember", "recall", "logout")
_TABLES: dict[str, type[msgspec.Struct]] = {
    "node": NodeCommand, "service": NodeService, "accounts": AccountSource, "login": LoginCall, "who": WhoCall,
    "remember": RememberCall, "recall": RecallCall, "logout": Call,
}  # fmt: skip


class Wrong(NamedTuple):
    """One thing in a description that makes no sense."""

    path: str
    what: str
    expected: str


def load_description(path: Path) -> Description:
    """The description in that file.

    Raises:
        DescriptionError: it cannot be read, is not TOML, or makes no sense; says where, and what was expected.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DescriptionError(
                f"{path} is too large", why=f"a description has about 40 lines; this has {path.stat().st_size:,} bytes",
                next_step="twinshop app new",
            )  # fmt: skip
        content = path.read_bytes()
    except OSError as error:
        raise DescriptionError(
            f"cannot read {path}",
            why=error.strerror or str(error),
            next_step=f"twinshop app new {shlex.quote(str(path))}",
        ) from error
    return read_description(content, file=str(path), folder=str(path.absolute().parent))


def read_description(content: bytes, *, file: str, folder: str) -> Description:
    """The description in these bytes; its commands are run in `folder`.

    Raises:
        DescriptionError: as `load_description`.
    """
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark (BOM), which TOML does not know
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ten thousand brackets are too deep for its reader
        raise DescriptionError(
            f"{toml_place(file, error)}: not TOML", why=str(error), next_step=f"fix {file}"
        ) from error
    try:
        if "folder" in document:  # a field of the struct that is ours to fill in
            raise msgspec.ValidationError("Object contains unknown field `folder`")
        found = msgspec.convert(document, type=Description, strict=True)
    except msgspec.ValidationError as error:
        raise _refusal(file, text, [_not_of_its_type(document, error)]) from error
    if wrong := list(_wrong(found)):
        raise _refusal(file, text, wrong)
    return msgspec.structs.replace(found, folder=folder)


def description_schema() -> bytes:
    """The JSON Schema of a description's file, for editors."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Description)), indent=2) + b"\n"


def _refusal(file: str, text: str, wrong: list[Wrong]) -> DescriptionError:
    """All of it at once, in the order of the file's lines."""

    def place(one: Wrong) -> str:
        line = nearest_line(text, one.path)
        return ", ".join(part for part in (f"line {line}" if line else "", one.path) if part)

    if len(wrong) == 1:
        one = wrong[0]
        where = ", ".join(part for part in (file, place(one)) if part)
        return DescriptionError(f"{where}: {one.what}", why=one.expected, next_step=f"fix it: {file}")
    in_order = sorted(wrong, key=lambda one: nearest_line(text, one.path))
    told = "\n        ".join(f"{place(one)}: {one.what}; {one.expected}" for one in in_order)
    return DescriptionError(f"{file}: {len(wrong)} things make no sense", why=told, next_step=f"fix them in {file}")


def _not_of_its_type(document: Mapping[str, Any], error: msgspec.ValidationError) -> Wrong:
    """msgspec's words, with the place where they apply."""
    what, _, where = str(error).partition(" - at `")
    path = where.removesuffix("`").removeprefix("$").lstrip(".")
    if "[...]" in path:  # msgspec does not say of which key; the one that is wrong by itself is
        path = _which(document, path)
    if unknown := _UNKNOWN.match(what):
        key = unknown[1]
        known = _known_keys(path)
        return Wrong(f"{path}.{key}".lstrip("."), f"there is no key {key!r}{did_you_mean(key, known)}", _listed(known))
    return Wrong(path, what[0].lower() + what[1:], "see docs/reference/application.md, or: twinshop app new")


def _which(document: Mapping[str, Any], path: str) -> str:
    """The first key of that table whose value is not of its type."""
    table = path.partition("[...]")[0].rstrip(".")
    below: Any = document
    for word in table.split("."):
        below = below.get(word, {}) if isinstance(below, Mapping) else {}
    kind: Any = DescribedVariant if table == "variant" else str
    for key, value in below.items() if isinstance(below, Mapping) else ():
        try:
            msgspec.convert(value, type=kind, strict=True)
        except msgspec.ValidationError as error:
            deeper = str(error).partition(" - at `$")[2].rstrip("`").replace("[...]", "")
            return f"{table}.{key}{deeper}"
    return table


def _known_keys(path: str) -> list[str]:
    kind = _TABLES.get(path) or (DescribedVariant if path.startswith("variant") else Description if not path else None)
    return sorted(set(kind.__struct_fields__) - {"folder"}) if kind else []


def _listed(known: list[str]) -> str:
    return f"known keys here: {', '.join(known)}" if known else "see docs/reference/application.md"


def _wrong(it: Description) -> Iterator[Wrong]:
    """Everything of the right type that still makes no sense."""
    if not _NAME.fullmatch(it.name) or len(it.name) > 30:
        yield Wrong("name", f"{it.name!r} is no name", 'up to 30 lower-case letters, digits and hyphens: "my-shop"')
    yield from _wrong_running(it)
    yield from _wrong_node(it)
    yield from _wrong_accounts(it.accounts)
    for name in CALLS:
        call = getattr(it, name)
        if call is not None:
            yield from _wrong_call(it, name, call)
    yield from _wrong_extracts(it)
    if it.remember is None and it.recall is not None:
        yield Wrong("recall", "nothing is remembered that could be read back", "a table [remember]")
    yield from _wrong_signs(it)
    yield from _wrong_processes(it)
    yield from _wrong_headers("headers", it.headers)
    for name in it.variant:
        if not _NAME.fullmatch(name):
            yield Wrong(f"variant.{name}", f"{name!r} is no name", "lower-case letters, digits and hyphens")
        known = IN_CONTAINERS if it.service is not None else PLACES
        yield from _unknown_words(f"variant.{name}.env", it.variant[name].env.values(), known)
        if it.service is not None and it.variant[name].sessions == "replicated":
            yield Wrong(f"variant.{name}.sessions", "services are not told of each other", "a node that is a command")


def _wrong_running(it: Description) -> Iterator[Wrong]:
    if sum(way is not None for way in (it.node, it.service, it.running)) != 1:
        yield Wrong("node", "it has none, or is started in two ways", "one of [node], [service] and [running]")
    if it.running is not None:
        url = urlsplit(it.running.url)
        if url.scheme != "http" or not url.hostname or url.path not in ("", "/") or url.query:
            yield Wrong("running.url", f"{it.running.url!r} is no such address", 'plain HTTP: "http://127.0.0.1:8080"')
        if not 0 < it.running.most_per_second <= 1000:
            yield Wrong("running.most_per_second", f"{it.running.most_per_second:g}", "more than 0, up to 1000")
    elif it.fault:
        yield Wrong(
            "fault", "its nodes are started by Twinshop, which can break them itself", "[running], or no [fault]"
        )
    for kind, commands in it.fault.items():
        for name in ("inject", "observe", "heal", "observe_healed"):
            if not getattr(commands, name):
                yield Wrong(f"fault.{kind}.{name}", "it is empty", 'a command: ["kubectl", "delete", "pod", "shop-0"]')


def _wrong_node(it: Description) -> Iterator[Wrong]:
    if it.running is None and (it.node or it.service):
        yield from _wrong_readiness("service" if it.service else "node", it.nodes)
    if it.service is not None:
        if not 0 < it.service.port < 65536:
            yield Wrong("service.port", f"{it.service.port} is no port", "from 1 to 65535")
        yield from _unknown_words("service.env", it.service.env.values(), IN_CONTAINERS)
    node = it.node
    if node is None:
        return
    if not node.command:
        yield Wrong("node.command", "it is empty", 'a program and its arguments: ["python", "app.py", "{port}"]')
    everywhere = [*node.command, *node.env.values(), *(v for each in it.variant.values() for v in each.env.values())]
    if node.command and not any("{port}" in word for word in everywhere):
        yield Wrong("node.command", "no node would know where to listen", "{port} in the command or in an env")
    yield from _unknown_words("node.command", node.command, PLACES)
    yield from _unknown_words("node.prepare", node.prepare, PLACES)
    yield from _unknown_words("node.env", node.env.values(), PLACES)


def _wrong_readiness(table: str, nodes: NodeCommand | NodeService) -> Iterator[Wrong]:
    yield from _wrong_path(f"{table}.ready", nodes.ready, 'a path that answers 200: "/health"')
    if not 0.5 <= nodes.ready_within_s <= 300:
        yield Wrong(f"{table}.ready_within_s", f"{nodes.ready_within_s:g} s", "from 0.5 to 300 s")


def _wrong_signs(it: Description) -> Iterator[Wrong]:
    for place, sign in (("stranger", it.stranger), ("login.ok", it.login.ok)):
        if sign.css and (why := bad_selector(sign.css)):
            yield Wrong(f"{place}.css", why, "one like: form#login")
        if sign.redirect:  # compared with where it led, as that is asked for
            yield from _wrong_path(f"{place}.redirect", sign.redirect, 'how a path begins: "/home"')


def _wrong_processes(it: Description) -> Iterator[Wrong]:
    """What no process can be started with."""
    commands: dict[str, Sequence[str]] = {"accounts.command": it.accounts.command}
    envs = {f"variant.{name}.env": each.env for name, each in it.variant.items()}
    for kind, fault in it.fault.items():
        for name in ("inject", "observe", "heal", "observe_healed"):
            commands[f"fault.{kind}.{name}"] = getattr(fault, name)
    if it.node is not None:
        commands |= {"node.command": it.node.command, "node.prepare": it.node.prepare}
        envs["node.env"] = it.node.env
    if it.service is not None:
        envs["service.env"] = it.service.env
    for path, words in (*commands.items(), *((path, [*env, *env.values()]) for path, env in envs.items())):
        if any("\0" in word for word in words):
            yield Wrong(path, "it has a character \\u0000", "text: no process can be given that one")
    for path, env in envs.items():
        for name in env:
            if not name or "=" in name:
                yield Wrong(path, f"{name!r} is no name of a variable", 'one without "=": SECRET_KEY')


def _wrong_headers(path: str, headers: Mapping[str, str]) -> Iterator[Wrong]:
    for name, value in headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            yield Wrong(
                path, f"{f'{name}: {value}'!r} cannot be sent", "a header's name, and one line of Latin letters"
            )


def _wrong_path(path: str, sent: str, expected: str) -> Iterator[Wrong]:
    if not sent.startswith("/"):
        yield Wrong(path, f"{sent!r} is no path", expected)
    elif not _IN_PATHS.fullmatch(sent):
        yield Wrong(path, f"{sent!r} cannot be sent", 'ASCII without spaces, as in "/caf%C3%A9"')


def _wrong_accounts(accounts: AccountSource) -> Iterator[Wrong]:
    ways = [name for name in ("pattern", "list", "command") if getattr(accounts, name)]
    if len(ways) != 1:
        yield Wrong("accounts", f"it has {len(ways)} sources of accounts", "one of pattern, list, command")
    if accounts.pattern:
        try:
            names = {accounts.pattern.format(number=number) for number in (1, 2)}
        except (KeyError, IndexError, ValueError) as error:
            yield Wrong("accounts.pattern", f"{accounts.pattern!r}: {error}", '"user-{number:04d}"')
        else:
            if len(names) == 1:
                yield Wrong("accounts.pattern", "everybody would have the same account", '"user-{number:04d}"')
        if not accounts.password:
            yield Wrong("accounts", "the pattern has no password", "a key password")
    if len({name for name, _ in accounts.list}) < len(accounts.list):
        yield Wrong("accounts.list", "a name is there twice", "each account once: one person, one account")


def _wrong_call(it: Description, name: str, call: Call) -> Iterator[Wrong]:
    if call.method not in METHODS or not call.path.startswith("/"):
        yield Wrong(
            f"{name}.send", f"{call.send!r} is no request", f'a method ({", ".join(METHODS)}) and a path: "GET /me"'
        )
    else:
        yield from _wrong_path(f"{name}.send", call.path, "")
    if call.page:
        yield from _wrong_path(f"{name}.page", call.page, 'the path of the page with the form: "/login"')
    yield from _wrong_headers(f"{name}.headers", call.headers)
    if call.form and call.json is not None:
        yield Wrong(f"{name}", "it sends a form and JSON", "one of both")
    if call.method == "GET" and (call.form or call.json is not None):
        yield Wrong(f"{name}.send", "a GET sends no body", "POST, or the values in the path")
    texts = [call.path, *call.form.values(), *call.headers.values(), *_strings(call.json)]
    yield from _unknown_words(name, texts, IN_REQUESTS)
    words = {word for text in texts for word in _WORD.findall(text)}
    if name == "login" and not words >= {"user", "password"}:
        yield Wrong(
            "login", "it does not send {user} and {password}", 'form = { name = "{user}", secret = "{password}" }'
        )
    if name == "remember" and "value" not in words:
        yield Wrong("remember", "it does not send {value}", 'form = { note = "{value}" }')
    if "csrf" in words and it.csrf is None:
        yield Wrong(name, "nobody says where {csrf} stands", 'csrf = { css = "input[name=csrf]", attribute = "value" }')
    if "csrf" in words and it.csrf is not None and not it.csrf.cookie and not call.page:
        yield Wrong(name, "there is no page that {csrf} could be taken from", 'page = "/…", the page with the form')


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _wrong_extracts(it: Description) -> Iterator[Wrong]:
    found = [("csrf", it.csrf), ("login.token", it.login.token), ("who.user", it.who.user)]
    if it.recall is not None:
        found.append(("recall.value", it.recall.value))
    for path, extract in found:
        if extract is not None and (why := why_not(extract)):
            yield Wrong(path, "it points nowhere", why)
    if any("{token}" in value for value in it.headers.values()) and it.login.token is None:
        yield Wrong("headers", "nobody says where {token} comes from", 'token = { json = "/access_token" } in [login]')


def _unknown_words(path: str, texts: Any, known: Any) -> Iterator[Wrong]:
    for word in dict.fromkeys(word for text in texts for word in _WORD.findall(text)):
        if word not in known:
            listed = ", ".join(f"{{{one}}}" for one in known)
            yield Wrong(path, f"{{{word}}} stands for nothing{did_you_mean(word, known)}", f"one of {listed}")
