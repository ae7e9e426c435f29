"""A client that cannot tell an error from a logout: whatever goes wrong, it throws its cookies away."""

from loadtests.behaviours.workload import Behaviour


class HastyClient(Behaviour):
    """Just shopping, with a front end that shows the login page after any error."""

    name = "hasty-client"
    sentence = "They shop with a client that takes any error for a logout, and then throws its cookies away."
    gives_up = True
