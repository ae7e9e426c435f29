"""A node is deployed with the second step of a rename."""

from loadtests.faults.bases import Deploys


class DeployWritesNew(Deploys):
    kind = "deploy-writes-new"
    colour = "#b3476f"
    doing = "Deploying the second step of a rename to"
    done = "deployed with the second step of a rename"
    sentence = (
        "A node is restarted with a version of the shop that writes sessions anew and still reads those from before."
    )
    version = "writes-new"
    writes = "account"
    reads = ("user", "account")
