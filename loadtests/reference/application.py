"""The page of an application's description: every key of its file."""

from __future__ import annotations

import msgspec

from compose.description import (
    IN_CONTAINERS,
    PLACES,
    AccountSource,
    DescribedVariant,
    Description,
    FaultCommands,
    LoginCall,
    NodeCommand,
    NodeService,
    RecallCall,
    RememberCall,
    Running,
    WhoCall,
)
from compose.interface import Call, Extract, Sign
from loadtests.reference.attributes import attributes_of
from loadtests.reference.markdown import code, page, table


def application() -> str:
    """docs/reference/application.md."""
    tables: list[tuple[str, tuple[type[msgspec.Struct], ...]]] = [
        ("The file", (Description,)),
        ("`[node]`", (NodeCommand,)),
        ("`[accounts]`", (AccountSource,)),
        ("Each request: `[login]`, `[who]`, `[remember]`, `[recall]`, `[logout]`", (Call,)),
        ("Beyond that, of single requests", (LoginCall, WhoCall, RememberCall, RecallCall)),
        ("Where something stands in an answer", (Extract,)),
        ("How an answer can be told", (Sign,)),
        ("`[variant.NAME]`", (DescribedVariant,)),
        ("`[service]`, in the place of `[node]`", (NodeService,)),
        ("`[running]`, in the place of `[node]`", (Running,)),
        ("`[fault.KIND]`, beside `[running]`", (FaultCommands,)),
    ]
    return page(
        "The description of an application",
        "Every key of the file that `twinshop run SCENARIO --app FILE` reads. [Test your own application]"
        "(../how-to/test-your-own-application.md) begins with the smallest one; `twinshop app new` writes a commented "
        "one; `twinshop app schema` prints the JSON Schema, which also lies in `application.schema.json`.",
        *(part for title, kinds in tables for part in (f"## {title}", _table(*kinds))),
        "## Words in commands and in `env`",
        table(("word", "stands for"), [(code(f"{{{word}}}"), meaning) for word, meaning in PLACES.items()]),
        f"In the `env` of a service, and of its variants: {', '.join(code(f'{{{word}}}') for word in IN_CONTAINERS)}.",
    )


def _table(*kinds: type[msgspec.Struct]) -> str:
    rows = [
        (code(it.name), code(it.type), code(it.default), it.about or "See its table below.")
        for kind in kinds
        for it in attributes_of(kind)
        if it.name != "folder"
    ]
    return table(("key", "kind", "default", "meaning"), rows)
