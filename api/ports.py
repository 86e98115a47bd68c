"""The ports of the application that is answering."""

from typing import cast

from flask import current_app

from domain.ports import Ports


def ports() -> Ports:
    return cast(Ports, current_app.extensions["runyard_ports"])
