"""What a run's script stored as files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from api.blueprint import Blueprint
from api.downloads import send
from api.identity.actor import current_actor
from api.ports import ports
from domain.ports import StoredFile
from domain.runs import artifacts
from models.session import transaction

blp = Blueprint("artifacts", __name__, url_prefix="/api/v1", description="Files of runs")


class ArtifactSchema(ma.Schema):
    """A file or folder."""

    path = ma.fields.String(metadata={"example": "plots/loss.png"})
    is_directory = ma.fields.Boolean()
    size = ma.fields.Integer(metadata={"description": "bytes; 0 for a folder", "example": 48213})


class ArtifactsSchema(ma.Schema):
    """The entries of one folder, by name."""

    items = ma.fields.List(ma.fields.Nested(ArtifactSchema))


class FolderArguments(ma.Schema):
    path = ma.fields.String(load_default="", metadata={"description": "a folder of the run"})


@blp.route("/runs/<uuid:run_id>/artifacts", methods=["GET"])
@blp.arguments(FolderArguments, location="query")
@blp.response(200, ArtifactsSchema)
@blp.reads(artifacts.list_artifacts)
def list_artifacts(arguments: dict[str, Any], run_id: UUID) -> dict[str, Sequence[StoredFile]]:
    """List a folder of a run's artifacts"""
    with transaction() as session:
        entries = artifacts.list_artifacts(
            session, current_actor(), run_id, ports().artifacts, **arguments
        )
    return {"items": entries}


@blp.route("/runs/<uuid:run_id>/artifacts/<path:path>", methods=["GET"])
@blp.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
@blp.reads(artifacts.find_artifact)
def download_artifact(run_id: UUID, path: str) -> Response:
    """Download one artifact

    Ranges work, so a broken download can be taken up again.
    """
    with transaction() as session:
        stored = artifacts.find_artifact(session, current_actor(), run_id, path)
    return send(stored)
