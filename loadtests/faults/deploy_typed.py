"""A node is deployed with another type of cart."""

from loadtests.faults.bases import Deploys


class DeployTyped(Deploys):
    kind = "deploy-typed"
    colour = "#5b7f2b"
    doing = "Deploying another type of cart to"
    done = "deployed with another type of cart"
    sentence = "A node is restarted with a version that keeps a session's cart as a list of articles."
    version = "typed"
    cart = "list"
