"""The behaviours: what shoppers do; one file each, found by themselves."""

from loadtests.behaviours.workload import Behaviour
from loadtests.model.found import classes_in

NO_BEHAVIOURS = {"described", "workload"}
BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour() for behaviour in classes_in(__path__, __name__, Behaviour, NO_BEHAVIOURS, "behaviours")
}
"""By what a scenario calls them."""

__all__ = ["BEHAVIOURS", "Behaviour"]
