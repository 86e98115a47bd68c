"""What servers open: ``app`` for requests, ``live`` for sockets; ``manage`` is for flask."""

import sys
from typing import TYPE_CHECKING

from adapters.logs import configure_logging
from settings import settings

if TYPE_CHECKING:
    from flask import Flask


PROCESSES = {"app": "web", "live": "live", "manage": "flask"}


def __getattr__(name: str) -> "Flask":
    """Build the application a server asks for, and only that one."""
    if name not in PROCESSES:
        raise AttributeError(name)
    configure_logging(PROCESSES[name])
    application = _build(name)
    setattr(sys.modules[__name__], name, application)
    return application


def _build(name: str) -> "Flask":
    if name == "live":
        from api.app import create_live

        return create_live(settings())
    if name == "manage":
        from api.cli import create_managed

        return create_managed(settings())
    from api.app import create_app

    return create_app(settings())
