"""Who may still listen: looked at again whenever rights change, and now and then anyway."""

from collections import defaultdict
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from api.live.hub import Hub
from api.live.session import Session
from domain.access.credentials import actor_again
from domain.access.policy import Actor
from domain.accounts.sessions import WAKE_LIVE
from domain.errors import Unauthenticated
from models.session import transaction

LOOK_AGAIN_SECONDS = 30.0
Credential = tuple[UUID | None, UUID | None]

log = structlog.get_logger()


def watch_rights(hub: Hub, database_url: str) -> None:
    """Look when PostgreSQL calls, until the connection breaks; the caller starts it again."""
    url = make_url(database_url).set(drivername="postgresql")
    try:
        with psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True, connect_timeout=3
        ) as connection:
            connection.execute(f"listen {WAKE_LIVE}")
            while True:
                # The first look makes up for calls that were missed while nobody listened.
                review_all(hub)
                list(connection.notifies(timeout=LOOK_AGAIN_SECONDS, stop_after=1))
    except (psycopg.Error, SQLAlchemyError) as problem:
        log.warning("rights can't be watched", problem=str(problem).partition("\n")[0])
        raise


def review_all(hub: Hub) -> None:
    """Close the sockets of those who may not listen any more."""
    by_credential: dict[Credential, list[Session]] = defaultdict(list)
    for session in hub.sessions:
        by_credential[session.actor.session_id, session.actor.api_key_id].append(session)
    for credential, sessions in by_credential.items():
        actor = _actor_now(credential)
        for session in sessions:
            session.review(actor)


def _actor_now(credential: Credential) -> Actor | None:
    with transaction() as session:
        try:
            return actor_again(session, *credential)
        except Unauthenticated:
            return None
