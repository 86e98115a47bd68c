"""Who is calling: from the Authorization header to an actor."""

from typing import cast

from flask import current_app, g, request

from api.identity import access_tokens
from api.sealing import doors
from domain.access import credentials
from domain.access.policy import Actor
from domain.access.tokens import Prefix
from domain.errors import Unauthenticated
from models.session import transaction

OPAQUE = (Prefix.KEY, Prefix.RUN)


class NoCredential(Unauthenticated):
    code = "no_credential"


def identify() -> None:
    """Before each request: put the actor at hand, or refuse; open routes need none."""
    if request.url_rule is None or request.method == "OPTIONS":
        return
    if doors(current_app)[request.url_rule.endpoint].performs is None:
        return
    g.actor = actor_of(credential())


def current_actor() -> Actor:
    """The actor of the request."""
    return cast(Actor, g.actor)


def credential() -> str:
    """A bearer token; or, for clients that only know Basic, a key given as the password.

    :raises NoCredential: there is none.
    """
    given = request.authorization
    if given is not None and given.type == "bearer" and given.token:
        return given.token
    if given is not None and given.type == "basic" and given.password:
        return given.password
    raise NoCredential("sign in at POST /api/v1/sign-in, or send an API key as a bearer token")


def actor_of(given: str) -> Actor:
    """The actor behind a credential. :raises Unauthenticated: there is none (any more)."""
    if given.startswith(OPAQUE):
        with transaction() as session:
            return credentials.actor_of_token(session, given)
    session_id = access_tokens.session_id_of(given)
    with transaction() as session:
        return credentials.actor_of_session(session, session_id)
