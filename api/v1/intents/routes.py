"""Following what was asked."""

from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.intents.schemas import IntentArguments, IntentSchema
from domain.intents import queries
from domain.paging import Page
from domain.projects.queries import find_project
from models.intents import Intent
from models.session import transaction

blp = Blueprint("intents", __name__, url_prefix="/api/v1", description="What was asked for")


@blp.route("/projects/<uuid:project_id>/intents", methods=["GET"])
@blp.arguments(IntentArguments, location="query")
@blp.response(200, page_of(IntentSchema))
@blp.reads(queries.list_intents)
def list_intents(arguments: dict[str, Any], project_id: UUID) -> Page[Intent]:
    """List what was asked in a project

    Sort by `id` or `created_at`; newest first by default.
    """
    with transaction() as session:
        find_project(session, current_actor(), project_id)
        return queries.list_intents(
            session, current_actor(), page_request(arguments), project_id=project_id, **arguments
        )


@blp.route("/intents/<uuid:intent_id>", methods=["GET"])
@blp.response(200, IntentSchema)
@blp.reads(queries.find_intent)
def read_intent(intent_id: UUID) -> Intent:
    """Follow an intent"""
    with transaction() as session:
        return queries.find_intent(session, current_actor(), intent_id)
