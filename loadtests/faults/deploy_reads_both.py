"""A node is deployed with the first step of a rename."""

from loadtests.faults.bases import Deploys


class DeployReadsBoth(Deploys):
    kind = "deploy-reads-both"
    colour = "#96702c"
    doing = "Deploying the first step of a rename to"
    done = "deployed with the first step of a rename"
    sentence = (
        "A node is restarted with a version of the shop that writes sessions as before and reads those of the next one."
    )
    version = "reads-both"
    reads = ("user", "account")
