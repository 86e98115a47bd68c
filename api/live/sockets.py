"""The one route of the live application, ``/live``."""

import signal
from functools import cache, partial
from types import FrameType
from typing import Any

from flask import Flask
from flask_sock import Sock

from adapters.redis_streams import RedisStreams
from api.identity.actor import current_actor
from api.live.admission import ENDPOINT, admit, admitted_socket
from api.live.connection import Connection
from api.live.frames import MOST_MESSAGE_BYTES
from api.live.hub import Hub, TooManySockets, in_background
from api.live.rights import watch_rights
from api.live.session import TOO_MANY_SOCKETS, Session
from api.sealing import open_to_all
from settings import Settings, settings

PING_SECONDS = 25
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def register(app: Flask) -> None:
    """Give the live application its route."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_SECONDS,
        "max_message_size": MOST_MESSAGE_BYTES,
    }
    app.before_request(admit)
    Sock(app).route("/live", endpoint=ENDPOINT)(converse)


@open_to_all("a browser can send no header here, so a ticket or a token is checked on admission")
def converse(ws: Any) -> None:
    """Carry one socket until it ends."""
    hub = hub_of_process()
    connection = Connection(ws, admitted_socket())
    session = Session(connection, current_actor(), hub)
    try:
        hub.enter(session)
    except TooManySockets:
        session.leave(TOO_MANY_SOCKETS)
    try:
        session.run()
    finally:
        hub.go(session)
        connection.end()


@cache
def hub_of_process() -> Hub:
    """The hub, started by the first socket: a server forks after it has built the application."""
    hub = _start(settings())
    for number in STOPPING:
        _before(number, hub)
    return hub


def _start(settings: Settings) -> Hub:
    hub = Hub(RedisStreams(settings.redis_url))
    hub.start()
    in_background("watch rights", partial(watch_rights, hub, settings.database_url))
    return hub


def _before(number: signal.Signals, hub: Hub) -> None:
    """Say goodbye first when the server tells this process to stop."""
    usual = signal.getsignal(number)
    if not callable(usual):
        return

    def goodbye(signum: int, frame: FrameType | None) -> None:
        hub.say_goodbye()
        usual(signum, frame)

    signal.signal(number, goodbye)
