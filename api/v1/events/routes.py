"""Reading news again, for clients that were not listening."""

from typing import Any
from uuid import UUID

import marshmallow as ma

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.v1.fields import Instant
from domain.events import queries
from models.session import transaction

blp = Blueprint("events", __name__, url_prefix="/api/v1", description="What happened")
MOST_NUMBER = 2**63 - 1


class EventSchema(ma.Schema):
    """One piece of news; numbers have no gaps within a topic."""

    topic = ma.fields.String(metadata={"example": "run:0192f3b0-…"})
    seq = ma.fields.Integer(metadata={"description": "number within its topic"})
    type = ma.fields.String(metadata={"example": "run"})
    at = Instant()
    data = ma.fields.Dict(metadata={"description": "depends on its type"})


class EventsSchema(ma.Schema):
    """Events that follow one another."""

    items = ma.fields.List(ma.fields.Nested(EventSchema))
    seq = ma.fields.Integer(metadata={"description": "number of the topic's last event"})


class EventArguments(ma.Schema):
    after = ma.fields.Integer(
        load_default=0,
        validate=ma.validate.Range(0, MOST_NUMBER),
        metadata={"description": "the number of the last event already seen"},
    )
    limit = ma.fields.Integer(
        load_default=100,
        validate=ma.validate.Range(1, queries.MOST),
        metadata={"description": "events at most"},
    )


@blp.route("/projects/<uuid:project_id>/events", methods=["GET"])
@blp.arguments(EventArguments, location="query")
@blp.response(200, EventsSchema)
@blp.reads(queries.project_events, 409)
def read_project_events(arguments: dict[str, Any], project_id: UUID) -> queries.EventPage:
    """Read what happened in a project

    Events are kept for seven days. Live, they come over the socket.
    """
    with transaction() as session:
        return queries.project_events(session, current_actor(), project_id, **arguments)


@blp.route("/runs/<uuid:run_id>/events", methods=["GET"])
@blp.arguments(EventArguments, location="query")
@blp.response(200, EventsSchema)
@blp.reads(queries.run_events, 409)
def read_run_events(arguments: dict[str, Any], run_id: UUID) -> queries.EventPage:
    """Read what happened to a run

    Events are kept for seven days. Live, they come over the socket.
    """
    with transaction() as session:
        return queries.run_events(session, current_actor(), run_id, **arguments)
