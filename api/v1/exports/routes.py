"""Bundles that were written."""

from typing import Any
from uuid import UUID

from flask import Response

from api.blueprint import Blueprint
from api.downloads import send
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.exports.schemas import ExportArguments, ExportSchema
from domain.exports import queries
from domain.paging import Page
from domain.projects.queries import find_project
from models.exports import Export
from models.session import transaction

blp = Blueprint("exports", __name__, url_prefix="/api/v1", description="Portable bundles")


@blp.route("/projects/<uuid:project_id>/exports", methods=["GET"])
@blp.arguments(ExportArguments, location="query")
@blp.response(200, page_of(ExportSchema))
@blp.reads(queries.list_exports)
def list_exports(arguments: dict[str, Any], project_id: UUID) -> Page[Export]:
    """List a project's exports

    Sort by `id`, `created_at` or `size`; newest first by default.
    """
    with transaction() as session:
        find_project(session, current_actor(), project_id)
        return queries.list_exports(
            session, current_actor(), page_request(arguments), project_id=project_id, **arguments
        )


@blp.route("/exports/<uuid:export_id>", methods=["GET"])
@blp.response(200, ExportSchema)
@blp.reads(queries.find_export)
def read_export(export_id: UUID) -> Export:
    """Read what an export holds"""
    with transaction() as session:
        return queries.find_export(session, current_actor(), export_id)


@blp.route("/exports/<uuid:export_id>/download", methods=["GET"])
@blp.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
@blp.reads(queries.find_export)
def download_export(export_id: UUID) -> Response:
    """Download a bundle

    Ranges work, so a broken download can be taken up again.
    """
    with transaction() as session:
        export = queries.find_export(session, current_actor(), export_id)
    return send(export.path, export.name)
