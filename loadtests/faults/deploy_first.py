"""A node is deployed with the first version again."""

from loadtests.faults.bases import Deploys


class DeployFirst(Deploys):
    kind = "deploy-first"
    colour = "#6f7680"
    doing = "Deploying the first version again to"
    done = "deployed with the first version again"
    sentence = "A node is restarted with the first version of the shop: a rollback."
    version = "first"
