"""The balancer is restarted: every connection ends, and whatever it kept in its memory is gone."""

from loadtests.faults.bases import GoesDown


class BalancerRestart(GoesDown):
    kind = "balancer-restart"
    colour = "#767305"
    doing = "Restarting"
    done = "restarted"
    button = "Restart the balancer"
    free_play = 13
    strikes = "balancer"
    signal = "SIGTERM"  # not killed: it writes its log to the end, and the three logs of a run must agree
    sentence = "The balancer is stopped with SIGTERM and started again, with nothing in its memory."
