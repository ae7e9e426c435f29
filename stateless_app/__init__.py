"""A twin: the shop of `shared.shop`, with the sessions of this package. This file is the same in both twins."""

from flask import Flask

from shared.shop.app import create_shop
from shared.shop.settings import Settings

from .sessions import session_store


def create_app(settings: Settings | None = None) -> Flask:
    """One node of this shop, with the settings of the environment unless others are given."""
    settings = (settings or Settings.from_environment()).for_this_process()
    return create_shop(session_store(settings), settings, twin=__name__)
