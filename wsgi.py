"""The two doors for servers: ``app`` answers requests, ``live`` carries sockets."""

import sys
from typing import TYPE_CHECKING

from adapters.logs import configure_logging
from api.app import create_app, create_live
from settings import settings

if TYPE_CHECKING:
    from flask import Flask


def __getattr__(name: str) -> "Flask":
    """Build the application a server asks for, and only that one."""
    factories = {"app": create_app, "live": create_live}
    if name not in factories:
        raise AttributeError(name)
    configure_logging({"app": "web", "live": "live"}[name])
    application = factories[name](settings())
    setattr(sys.modules[__name__], name, application)
    return application
