"""Uploaded training code."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import request

from adapters.uploads import receive_archive
from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.paging import PageArguments, page_of, page_request
from api.ports import ports
from api.v1.sources.schemas import SourceSchema, UploadArguments
from domain.access.permissions import Permission
from domain.access.policy import authorize
from domain.paging import Page
from domain.projects.queries import find_project
from domain.runs import sources
from models.runs import Source
from models.session import transaction
from settings import settings

blp = Blueprint("sources", __name__, url_prefix="/api/v1", description="Training code")
ARCHIVE = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}


@blp.route("/projects/<uuid:project_id>/sources", methods=["GET"])
@blp.arguments(PageArguments, location="query")
@blp.response(200, page_of(SourceSchema))
@blp.reads(sources.list_sources)
def list_sources(arguments: dict[str, Any], project_id: UUID) -> Page[Source]:
    """List a project's sources

    Sort by `id`, `name` or `created_at`; newest first by default.
    """
    with transaction() as session:
        find_project(session, current_actor(), project_id)
        return sources.list_sources(
            session, current_actor(), page_request(arguments), project_id=project_id
        )


@blp.route("/projects/<uuid:project_id>/sources", methods=["POST"])
@blp.arguments(UploadArguments, location="query")
@blp.response(201, SourceSchema)
@blp.performs(sources.create_source, 413)
@blp.doc(requestBody=ARCHIVE)
def upload_source(arguments: dict[str, Any], project_id: UUID) -> Source:
    """Upload an archive with training code

    The body is the archive itself, `.zip` or `.tar.gz`. It is read to its end and checked:
    regular files and folders only, bounded in size, number and depth.
    """
    with transaction() as session:
        project = find_project(session, current_actor(), project_id)
        authorize(current_actor(), Permission.SOURCE_CREATE, project)
    request.max_content_length = settings().upload_bytes
    received = receive_archive(
        cast(BinaryIO, request.stream),
        ports().artifacts,
        sources.folder_of(project_id),
        limit=settings().upload_bytes,
    )
    with transaction() as session:
        return sources.create_source(
            session,
            current_actor(),
            project,
            name=arguments["name"],
            kind=received.kind,
            size=received.size,
            sha256=received.sha256,
            files=received.files,
        )


@blp.route("/sources/<uuid:source_id>", methods=["GET"])
@blp.response(200, SourceSchema)
@blp.reads(sources.find_source)
def read_source(source_id: UUID) -> Source:
    """Read what a source holds"""
    with transaction() as session:
        return sources.find_source(session, current_actor(), source_id)


@blp.route("/sources/<uuid:source_id>", methods=["DELETE"])
@blp.response(204)
@blp.performs(sources.delete_source, 409)
def delete_source(source_id: UUID) -> None:
    """Delete a source that no run uses"""
    with transaction() as session:
        source = sources.find_source(session, current_actor(), source_id)
        sources.delete_source(session, current_actor(), source)
