"""A page whose front end asks once who it is, and everything else when that was answered: one refresh at a time."""

from loadtests.behaviours.page import ShoppedPage


class PageSingleFlight(ShoppedPage):
    """The same page, by a good client: whatever has to be renewed is, before the other requests are sent."""

    name = "page-single-flight"
    sentence = "They open pages that ask one thing first, and three more at once when that was answered."
    first_alone_ms = 200
