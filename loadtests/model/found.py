"""Finds what a folder holds: its files, and one class of a kind in each, but for the files that are about all."""

from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType, UnionType
from typing import Any


def modules_in(folders: Iterable[str], package: str, beside: Collection[str] = ()) -> Iterator[ModuleType]:
    """The modules in these folders, in the order of their names, but for those of the names `beside`."""
    for file in sorted(iter_modules(folders), key=lambda file: file.name):
        if not file.ispkg and file.name not in beside:
            yield import_module(f"{package}.{file.name}")


def classes_in(
    folders: Iterable[str], package: str, kind: type | UnionType, beside: Collection[str], words: str
) -> Iterator[Any]:
    """The classes of that kind in these folders, in the order of the files' names.

    Args:
        folders: of the package, as in its `__path__`.
        package: by whose name they are imported.
        kind: what each of them is derived from.
        beside: names of the files that hold none.
        words: what they are called, more than one of them.

    Raises:
        TypeError: a file holds none, or several.
    """
    for module in modules_in(folders, package, beside):
        its = [
            it
            for it in vars(module).values()
            # Imported ones are bases of this one, or what it is compared with; they have files of their own.
            if isinstance(it, type) and issubclass(it, kind) and it.__module__ == module.__name__
        ]
        if len(its) != 1:
            raise TypeError(f"{module.__name__} holds {len(its)} {words}; each file in its folder holds one")
        yield its[0]
