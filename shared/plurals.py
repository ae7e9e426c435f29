"""A number, and the word behind it."""


def counted(number: int, one: str, many: str = "") -> str:
    """As in "1 shopper", "20 shoppers"."""
    return f"{number} {inflected(one, number, many)}"


def inflected(one: str, number: float, many: str = "") -> str:
    """The word as it is of so many: "shopper" of 1, "shoppers" of 0 or 2; `many`, where it is not made by an s."""
    return one if number == 1 else many or f"{one}s"
