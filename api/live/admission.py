"""Who may open a socket: decided before the upgrade, so a refusal is an ordinary answer."""

from typing import cast
from urllib.parse import urlsplit

from flask import g, request

from api.identity.actor import actor_of, credential
from api.live.connection import WholeSocket
from domain.access.credentials import actor_of_ticket
from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.errors import Forbidden
from models.session import transaction
from settings import settings

ENDPOINT = "live"
SERVER_SOCKET = "gunicorn.socket"


class OriginRefused(Forbidden):
    """A page of another site tries to open a socket."""

    code = "origin_refused"


def admit() -> None:
    """Before the upgrade: check the page's origin and who is calling.

    :raises OriginRefused: the origin is not one of ours.
    :raises Unauthenticated: the ticket or the token is no good.
    """
    if request.endpoint != ENDPOINT:
        return
    _check_origin(request.headers.get("Origin"))
    g.actor = _actor()
    authorize(g.actor, Permission.LIVE_LISTEN)
    # Compression would have to be done anew for every socket.
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    request.environ[SERVER_SOCKET] = WholeSocket(request.environ[SERVER_SOCKET])


def admitted_socket() -> WholeSocket:
    """The socket of the request, after ``admit``."""
    return cast(WholeSocket, request.environ[SERVER_SOCKET])


def _actor() -> Actor:
    ticket = request.args.get("ticket")
    if ticket is None:
        return actor_of(credential())
    with transaction() as session:
        return actor_of_ticket(session, ticket)


def _check_origin(origin: str | None) -> None:
    if origin is None or origin in settings().origins or "*" in settings().origins:
        return
    hosts = {urlsplit(url).netloc for url in (settings().public_url, settings().live_url)}
    if urlsplit(origin).netloc not in hosts:
        raise OriginRefused("pages of this origin may not listen; see RUNYARD_ALLOWED_ORIGINS")
