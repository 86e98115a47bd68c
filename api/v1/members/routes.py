"""Who belongs to a project."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.v1.members.schemas import MemberSchema, MembersSchema, RoleSchema, WhoSchema
from domain.projects import commands, queries
from models.projects import Membership
from models.session import transaction

blp = Blueprint("members", __name__, url_prefix="/api/v1", description="Members of projects")


@blp.route("/projects/<uuid:project_id>/members", methods=["GET"])
@blp.response(200, MembersSchema)
@blp.reads(queries.list_members)
def list_members(project_id: UUID) -> dict[str, Sequence[Membership]]:
    """List who belongs to a project"""
    with transaction() as session:
        return {"items": queries.list_members(session, current_actor(), project_id)}


@blp.route("/projects/<uuid:project_id>/members", methods=["PUT"])
@blp.arguments(RoleSchema)
@blp.response(200, MemberSchema)
@blp.performs(commands.set_member, 409)
def set_member(given: dict[str, Any], project_id: UUID) -> Membership:
    """Add a person to a project or change their role"""
    with transaction() as session:
        project = queries.find_project(session, current_actor(), project_id)
        return commands.set_member(session, current_actor(), project, **given)


@blp.route("/projects/<uuid:project_id>/members", methods=["DELETE"])
@blp.arguments(WhoSchema, location="query")
@blp.response(204)
@blp.performs(commands.remove_member, 409)
def remove_member(given: dict[str, Any], project_id: UUID) -> None:
    """Take a person's role away; it acts at once"""
    with transaction() as session:
        project = queries.find_project(session, current_actor(), project_id)
        commands.remove_member(session, current_actor(), project, **given)
