"""A run's artifacts: where they lie, and who may read them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import query
from domain.ports import ArtifactStore, StoredFile
from domain.runs.queries import find_run
from models.runs import Run


def folder_of(run: Run) -> str:
    """Where a run's artifacts lie in the artifact store."""
    return f"projects/{run.project_id}/runs/{run.id.hex}/artifacts"


@query(requires=Permission.ARTIFACT_READ)
def find_artifact(session: Session, actor: Actor, run_id: UUID, path: str) -> str:
    """Where one artifact lies in the store. :raises NotFound: no such run for the actor."""
    return f"{folder_of(find_run(session, actor, run_id))}/{path}"


@query(requires=Permission.ARTIFACT_READ)
def list_artifacts(
    session: Session, actor: Actor, run_id: UUID, store: ArtifactStore, *, path: str = ""
) -> Sequence[StoredFile]:
    """The entries of a folder of a run's artifacts, by their paths below the run.

    :raises NotFound: no such run for the actor. :raises OddPath: the path leaves the run.
    """
    folder = folder_of(find_run(session, actor, run_id))
    entries = store.list(f"{folder}/{path}" if path else folder)
    return [
        StoredFile(entry.path.removeprefix(f"{folder}/"), entry.is_directory, entry.size)
        for entry in entries
    ]
