"""A node is deployed with a version that renames a session's field."""

from loadtests.faults.bases import Deploys


class DeployRenamed(Deploys):
    kind = "deploy-renamed"
    colour = "#8a63b3"
    doing = "Deploying a renamed session field to"
    done = "deployed with a renamed session field"
    sentence = "A node is restarted with a version that keeps the user's name in sessions under another name."
    version = "renamed"
    writes = "account"
    reads = ("account",)
