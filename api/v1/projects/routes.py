"""Projects."""

from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.etag import ETAG, check_version, etag_of
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.fields import VersionHeader
from api.v1.projects.schemas import (
    NewProjectSchema,
    ProjectArguments,
    ProjectChangeSchema,
    ProjectSchema,
)
from domain.paging import Page
from domain.projects import commands, queries
from models.projects import Project
from models.session import transaction

Answer = tuple[Project, int, dict[str, str]]
blp = Blueprint("projects", __name__, url_prefix="/api/v1", description="Projects")


@blp.route("/projects", methods=["GET"])
@blp.arguments(ProjectArguments, location="query")
@blp.response(200, page_of(ProjectSchema))
@blp.reads(queries.list_projects)
def list_projects(arguments: dict[str, Any]) -> Page[Project]:
    """List the projects one belongs to

    Sort by `id`, `name`, `created_at` or `updated_at`; newest first by default.
    """
    with transaction() as session:
        return queries.list_projects(session, current_actor(), page_request(arguments), **arguments)


@blp.route("/projects", methods=["POST"])
@blp.arguments(NewProjectSchema)
@blp.response(201, ProjectSchema, headers=ETAG)
@blp.performs(commands.create_project, 409)
def create_project(given: dict[str, Any]) -> Answer:
    """Make a project; whoever makes it owns it"""
    with transaction() as session:
        project = commands.create_project(session, current_actor(), None, **given)
    return project, 201, etag_of(project)


@blp.route("/projects/<uuid:project_id>", methods=["GET"])
@blp.response(200, ProjectSchema, headers=ETAG)
@blp.reads(queries.find_project)
def read_project(project_id: UUID) -> Answer:
    """Read a project"""
    with transaction() as session:
        project = queries.find_project(session, current_actor(), project_id)
    return project, 200, etag_of(project)


@blp.route("/projects/<uuid:project_id>", methods=["PATCH"])
@blp.arguments(VersionHeader, location="headers")
@blp.arguments(ProjectChangeSchema)
@blp.response(200, ProjectSchema, headers=ETAG)
@blp.performs(commands.update_project, 409, 412, 428)
def update_project(_: dict[str, Any], given: dict[str, Any], project_id: UUID) -> Answer:
    """Change a project"""
    with transaction() as session:
        project = queries.find_project(session, current_actor(), project_id, lock=True)
        check_version(project)
        commands.update_project(session, current_actor(), project, **given)
    return project, 200, etag_of(project)


@blp.route("/projects/<uuid:project_id>", methods=["DELETE"])
@blp.arguments(VersionHeader, location="headers")
@blp.response(204)
@blp.performs(commands.delete_project, 409, 412)
def delete_project(_: dict[str, Any], project_id: UUID) -> None:
    """Take a project out of sight

    Refused while runs of it are active.
    """
    with transaction() as session:
        project = queries.find_project(session, current_actor(), project_id, lock=True)
        check_version(project, required=False)
        commands.delete_project(session, current_actor(), project)
