"""MLflow's endpoints of runs: opening, reading, following, finding and deleting them."""

import secrets
from datetime import UTC, datetime
from typing import Any

from flask import Response

from api.identity.actor import current_actor
from api.mlflow import filters, page_tokens
from api.mlflow.experiments import MOST_PER_PAGE, USUAL_PAGE, project_named
from api.mlflow.logging import LONGEST_TAG
from api.mlflow.presenting import run_info, run_out
from api.mlflow.vocabulary import PARENT, RUN_NAME, USER, deleted_wanted, state_said
from api.mlflow.wire import BadField, Fields, answer, fields, integer_of, run_id_of
from api.sealing import performs
from domain.clock import now
from domain.experiments import tracking
from domain.runs import recording
from domain.runs.binding import Opening
from domain.runs.commands import delete_run
from domain.runs.histories import latest_of
from domain.runs.located import find_run_even_deleted
from domain.runs.names import check_tag
from domain.runs.search import search_runs
from models.session import transaction

ADJECTIVES = ("bold", "calm", "clever", "gentle", "keen", "lively", "quiet", "sunny", "wry")
ANIMALS = ("badger", "falcon", "gecko", "heron", "lynx", "marten", "otter", "raven", "wren")


@performs(recording.open_run)
def create() -> Response:
    given = fields()
    number = integer_of("experiment_id", given.text("experiment_id", "0"))
    opening = _opening(given)
    with transaction() as session:
        actor = current_actor()
        experiment = tracking.find_by_number(session, actor, number, project=project_named())
        run = recording.open_run(session, actor, experiment, opening)
        run = find_run_even_deleted(session, actor, run.id)
        latest = latest_of(session, [run.number])[run.number]
    return answer({"run": run_out(run, latest)})


@performs(find_run_even_deleted)
def get() -> Response:
    with transaction() as session:
        run = find_run_even_deleted(session, current_actor(), run_id_of(given_run(fields())))
        latest = latest_of(session, [run.number])
    return answer({"run": run_out(run, latest[run.number])})


@performs(recording.follow_run)
def update() -> Response:
    given = fields()
    status, name = given.optional_text("status"), given.optional_text("run_name")
    with transaction() as session:
        actor = current_actor()
        run = find_run_even_deleted(session, actor, run_id_of(given_run(given)), lock=True)
        recording.follow_run(
            session,
            actor,
            run,
            state=state_said(status) if status else None,
            ended_at=_instant(given, "end_time"),
            name=name,
        )
    return answer({"run_info": run_info(run)})


@performs(delete_run)
def delete() -> Response:
    with transaction() as session:
        actor = current_actor()
        run = find_run_even_deleted(session, actor, run_id_of(given_run(fields())), lock=True)
        delete_run(session, actor, run)
    return answer()


@performs(recording.restore_run)
def restore() -> Response:
    with transaction() as session:
        actor = current_actor()
        run = find_run_even_deleted(session, actor, run_id_of(given_run(fields())), lock=True)
        recording.restore_run(session, actor, run)
    return answer()


@performs(search_runs)
def search() -> Response:
    given = fields()
    numbers = [integer_of("experiment_ids", value) for value in given.items("experiment_ids")]
    wanted = given.text("filter", "")
    view = given.text("run_view_type", "ACTIVE_ONLY")
    wishes = [str(wish) for wish in given.items("order_by")]
    query = [numbers, wanted, view, wishes]
    with transaction() as session:
        actor = current_actor()
        found = search_runs(
            session,
            actor,
            tracking.meant_by(session, actor, numbers, project=project_named()),
            conditions=filters.run_conditions(wanted),
            order=filters.run_orders(wishes),
            deleted=deleted_wanted(view),
            limit=given.count("max_results", default=USUAL_PAGE, most=MOST_PER_PAGE),
            after=page_tokens.unseal(given.optional_text("page_token"), query),
        )
        latest = latest_of(session, [run.number for run in found.items])
    page: dict[str, Any] = {"runs": [run_out(run, latest[run.number]) for run in found.items]}
    if found.more_after is not None:
        page["next_page_token"] = page_tokens.seal(found.more_after, query)
    return answer(page if found.items else None)


def given_run(given: Fields) -> str:
    """The run a call is about, by either of the names MLflow has for the field."""
    return given.optional_text("run_id") or given.text("run_uuid")


def _opening(given: Fields) -> Opening:
    tags = {key: value[:LONGEST_TAG] for key, value in given.pairs("tags").items()}
    for key in tags:
        check_tag(key)
    name = given.optional_text("run_name")
    if name and tags.get(RUN_NAME, name) != name:
        raise BadField(f"run_name and the tag {RUN_NAME} must not disagree")
    name = name or tags.get(RUN_NAME) or _invented_name()
    parent = tags.get(PARENT)
    if user := given.optional_text("user_id"):
        tags.setdefault(USER, user)
    return Opening(
        name=name,
        tags={**tags, RUN_NAME: name},
        started_at=_instant(given, "start_time") or now(),
        parent_id=run_id_of(parent) if parent else None,
    )


def _instant(given: Fields, field: str) -> datetime | None:
    milliseconds = given.integer(field, 0)
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
    except (OverflowError, ValueError, OSError):
        raise BadField(f"the field {field} must be milliseconds since 1970") from None


def _invented_name() -> str:
    words = secrets.choice(ADJECTIVES), secrets.choice(ANIMALS)
    return f"{words[0]}-{words[1]}-{secrets.randbelow(1000)}"
