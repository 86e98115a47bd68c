"""What can be asked of a run; each answers 202 with the intent to follow."""

from typing import Any
from uuid import UUID

from api.identity.actor import current_actor
from api.v1.fields import IdempotencyHeader
from api.v1.intents.schemas import IntentSchema
from api.v1.runs.routes import blp
from api.v1.runs.schemas import CloneSchema, StopSchema
from domain.runs import commands
from domain.runs.queries import find_run
from models.intents import Intent
from models.session import transaction

LOCATION = {"Location": {"description": "the intent to follow", "schema": {"type": "string"}}}
Answer = tuple[Intent, int, dict[str, str]]


@blp.route("/runs/<uuid:run_id>/start", methods=["POST"])
@blp.arguments(IdempotencyHeader, location="headers")
@blp.response(202, IntentSchema, headers=LOCATION)
@blp.performs(commands.start_run, 409)
def start_run(header: dict[str, Any], run_id: UUID) -> Answer:
    """Ask for a run to be started

    The intent succeeds once the training process runs; from then on follow the run.
    """
    with transaction() as session:
        run = find_run(session, current_actor(), run_id, lock=True)
        intent = commands.start_run(session, current_actor(), run, key=header["idempotency_key"])
    return _accepted(intent)


@blp.route("/runs/<uuid:run_id>/stop", methods=["POST"])
@blp.arguments(IdempotencyHeader, location="headers")
@blp.arguments(StopSchema, required=False)
@blp.response(202, IntentSchema, headers=LOCATION)
@blp.performs(commands.stop_run, 409)
def stop_run(header: dict[str, Any], given: dict[str, Any], run_id: UUID) -> Answer:
    """Ask a run to stop

    Its process gets TERM and, after the grace, its whole process tree gets KILL. A second stop
    can only shorten the grace. A run that has no process yet stops at once.
    """
    with transaction() as session:
        run = find_run(session, current_actor(), run_id, lock=True)
        intent = commands.stop_run(
            session, current_actor(), run, key=header["idempotency_key"], **given
        )
    return _accepted(intent)


@blp.route("/runs/<uuid:run_id>/clone", methods=["POST"])
@blp.arguments(IdempotencyHeader, location="headers")
@blp.arguments(CloneSchema, required=False)
@blp.response(202, IntentSchema, headers=LOCATION)
@blp.performs(commands.clone_run, 409)
def clone_run(header: dict[str, Any], given: dict[str, Any], run_id: UUID) -> Answer:
    """Ask for a copy of a run with some of its spec changed

    The answer's `result.difference` lists what will differ; once the intent has succeeded,
    `result.run_id` names the copy.
    """
    with transaction() as session:
        run = find_run(session, current_actor(), run_id)
        intent = commands.clone_run(
            session, current_actor(), run, key=header["idempotency_key"], **given
        )
    return _accepted(intent)


@blp.route("/runs/<uuid:run_id>/export", methods=["POST"])
@blp.arguments(IdempotencyHeader, location="headers")
@blp.response(202, IntentSchema, headers=LOCATION)
@blp.performs(commands.export_run, 409)
def export_run(header: dict[str, Any], run_id: UUID) -> Answer:
    """Ask for a portable bundle of a run

    Once the intent has succeeded, `result.export_id` names the export to download.
    """
    with transaction() as session:
        run = find_run(session, current_actor(), run_id)
        intent = commands.export_run(session, current_actor(), run, key=header["idempotency_key"])
    return _accepted(intent)


def _accepted(intent: Intent) -> Answer:
    return intent, 202, {"Location": f"/api/v1/intents/{intent.id}"}
