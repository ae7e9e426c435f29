"""What the books say beside losses: people who never came in, goods, actions."""

from __future__ import annotations

from loadtests.model.measures import Measure

MEASURES = (
    Measure(
        "never_logged_in",
        "Shoppers whose login was never acknowledged, nor shown by a later answer.",
        lambda it: it.users.never_logged_in,
        sort="book",
        group="People",
        report="never",
        terminal="never",
        place=14,
    ),
    Measure(
        "undecided",
        "Shoppers whom the audit could not look at: nobody knows whether they were still logged in.",
        lambda it: it.users.undecided,
        sort="book",
        group="People",
        meaning="Shoppers who were logged in as far as anybody saw, and who got no answer in the audit: neither kept "
        "nor lost.",
        headline="shoppers whom nobody could look at",
        of_all=True,
        place=15,
    ),
    Measure(
        "units_lost",
        "Units of goods lost with carts, items and orders.",
        lambda it: it.items.lost,
        sort="book",
        group="Goods",
        meaning="Units of goods (quantities) that went with lost carts, items and orders, from the item book.",
        headline="units of goods lost",
        kinds=("cart_lost", "items_lost"),
        report="always",
        terminal="never",
        compared=True,
        counted="units of goods",
        place=22,
    ),
    Measure(
        "failed",
        "Planned actions that surely did not happen.",
        lambda it: it.actions.failed,
        sort="book",
        group="Actions",
        meaning="Planned actions that surely did not happen: refused, or answered with an error before anything was "
        "written.",
        headline="failed actions",
        report="always",
        terminal="always",
        compared=True,
        counted="actions",
        place=15,
    ),
    Measure(
        "unknown",
        "Planned actions of which nobody knows whether they happened.",
        lambda it: it.actions.unknown,
        sort="book",
        group="Actions",
        meaning="Planned actions that may or may not have happened: a timeout or an error on a write, not settled by "
        "any later read.",
        report="always",
        terminal="always",
        compared=True,
        counted="actions",
        place=16,
    ),
    Measure(
        "not_sent",
        "Planned actions that were not sent.",
        lambda it: it.actions.not_sent,
        sort="book",
        group="Actions",
        meaning="Planned actions that were not sent because the shopper was still waiting for the answer before, too "
        "late to catch up.",
        report="always",
        terminal="never",
        counted="actions",
        place=17,
    ),
)
