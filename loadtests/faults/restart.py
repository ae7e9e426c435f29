"""A node is restarted: SIGTERM, and started again as soon as its heal is due; a deploy without draining."""

from loadtests.faults.bases import NodeGoesDown


class Restart(NodeGoesDown):
    kind = "restart"
    colour = "#967f0e"
    doing = "Restarting"
    done = "restarted"
    free_play = 4
    sentence = (
        "A node is stopped with SIGTERM and started again; one after the other, without draining, that is a rolling "
        "deploy."
    )
