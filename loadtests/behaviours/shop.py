"""What shoppers do unless a scenario says otherwise: log in and shop."""

from loadtests.behaviours.workload import Behaviour


class Shop(Behaviour):
    """Just shopping."""

    name = "shop"
    sentence = "They log in and shop: look around, fill and empty their carts, order."
