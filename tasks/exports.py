"""Writing bundles."""

import hashlib
import tempfile
from functools import partial
from pathlib import Path

from domain.exports.bundle import write_bundle
from domain.exports.commands import record_export, stored_at
from domain.intents import commands as intents
from domain.jobs import Job
from models.runs import Run
from models.session import transaction
from tasks.base import Work, job, ports

LARGEST = 1 << 50


@job(Job.RUN_EXPORT)
def export_run(work: Work) -> None:
    """Write the bundle beside, store it whole, then record it with the end of the work."""
    with tempfile.TemporaryDirectory(prefix="runyard-export-") as scratch:
        target = Path(scratch) / "bundle.zip"
        with transaction() as session:
            run = session.get_one(Run, work.subject_id)
            write_bundle(session, ports().artifacts, run, target, partial(_tell, work))
        with transaction() as session:
            intent = work.intent(session)
            if intent is None:
                return work.finish(session)
            with target.open("rb") as bundle:
                stored = ports().artifacts.put(stored_at(intent), bundle, limit=LARGEST)
            record_export(
                session,
                intent,
                run_id=run.id,
                name=f"{run.id.hex}.zip",
                size=stored.size,
                sha256=_sha256(target),
            )
            work.finish(session)


def _tell(work: Work, percent: int, message: str) -> None:
    """Tell the intent's followers how far it is, at once."""
    with transaction() as session:
        intent = work.intent(session)
        if intent is not None and not intent.is_settled:
            intents.note_progress(session, intent, percent, message)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
