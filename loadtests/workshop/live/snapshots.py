"""What a frame does to a picture. The browser does the same, in `dashboard/static`.

Nodes, parts and counts: a frame that has them has all of them. Everything else is a table: a row of the frame takes
the place of the row with the same key, in its place; a row with a new key comes to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from loadtests.workshop.contract import Frame, LossView, Mark, Picture, ShopperView, SideFrame, Waits

T = TypeVar("T")


def empty_picture(round_number: int) -> Picture:
    """Before the first frame."""
    return Picture(round_number, 0, SideFrame(), SideFrame())


def applied(picture: Picture, frame: Frame) -> Picture:
    """The picture after this frame."""
    return Picture(picture.round, frame.at_ms, _side(picture.left, frame.left), _side(picture.right, frame.right))


def _side(before: SideFrame, news: SideFrame) -> SideFrame:
    return SideFrame(
        nodes=before.nodes if news.nodes is None else news.nodes,
        parts=before.parts if news.parts is None else news.parts,
        counts=before.counts if news.counts is None else news.counts,
        shoppers=_table(before.shoppers, news.shoppers, shopper_key),
        losses=_table(before.losses, news.losses, loss_key),
        marks=_table(before.marks, news.marks, mark_key),
        waits=_table(before.waits, news.waits, waits_key),
        guests=_table(before.guests, news.guests, lambda guest: guest.user),
    )


def shopper_key(view: ShopperView) -> Hashable:
    """Of the table of shoppers."""
    return view.shopper


def loss_key(view: LossView) -> Hashable:
    """Of the table of losses."""
    return view.loss


def mark_key(mark: Mark) -> Hashable:
    """Of the table of marks: each step of a fault is taken once."""
    return mark.fault, mark.phase


def waits_key(waits: Waits) -> Hashable:
    """Of the table of waits."""
    return waits.second


def _table(before: tuple[T, ...], news: Iterable[T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    if not news:
        return before
    rows = {key(row): row for row in before}
    rows.update((key(row), row) for row in news)
    return tuple(rows.values())
