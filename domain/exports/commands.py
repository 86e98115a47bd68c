"""Recording that a bundle was written."""

from uuid import UUID

from sqlalchemy.orm import Session

from domain.intents import commands as intents
from models.exports import Export
from models.intents import Intent


def stored_at(intent: Intent) -> str:
    """Where an export's bundle lies in the artifact store: writing it again replaces it."""
    return f"projects/{intent.project_id}/exports/{intent.id}.zip"


def record_export(
    session: Session, intent: Intent, *, run_id: UUID, name: str, size: int, sha256: str
) -> Export:
    """The bundle lies in the store: settle the intent with it."""
    export = Export(
        project_id=intent.project_id,
        run_id=run_id,
        intent_id=intent.id,
        path=stored_at(intent),
        name=name,
        size=size,
        sha256=sha256,
    )
    session.add(export)
    session.flush()
    intents.succeed(session, intent, export_id=str(export.id), size=size, sha256=sha256)
    return export
