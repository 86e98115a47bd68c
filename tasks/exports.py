"""Writing bundles."""

import hashlib
from functools import partial
from pathlib import Path

from sqlalchemy import text

from domain.exports.bundle import write_bundle
from domain.exports.commands import record_export, stored_at
from domain.intents import commands as intents
from domain.jobs import Job
from models.intents import Intent
from models.runs import Run
from models.session import transaction
from tasks.base import Work, job, ports
from tasks.scratch import scratch_folder

LARGEST = 1 << 50


@job(Job.RUN_EXPORT)
def export_run(work: Work) -> None:
    """Write the bundle beside, store it whole, then record it with the end of the work."""
    with scratch_folder() as scratch:
        target = scratch / "bundle.zip"
        with transaction() as session:
            # A large artifact takes longer to pack than a session may rest.
            session.execute(text("set local idle_in_transaction_session_timeout = 0"))
            run = session.get_one(Run, work.subject_id)
            place = stored_at(session.get_one(Intent, work.claim.intent_id))
            write_bundle(session, ports().artifacts, run, target, partial(_tell, work))
        with target.open("rb") as bundle:
            stored = ports().artifacts.put(place, bundle, limit=LARGEST)
        sha256 = _sha256(target)
    with transaction() as session:
        intent = work.intent(session)
        if intent is not None:
            name = f"{run.id.hex}.zip"
            record_export(
                session, intent, run_id=run.id, name=name, size=stored.size, sha256=sha256
            )
        work.finish(session)


def _tell(work: Work, percent: int, message: str) -> None:
    """Tell the intent's followers how far it is, at once."""
    with transaction() as session:
        intent = work.intent(session)
        if intent is not None:
            intents.note_progress(session, intent, percent, message)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
