"""MLflow's endpoints of experiments."""

from typing import Any

from flask import Response, request

from api.identity.actor import current_actor
from api.mlflow import filters, page_tokens
from api.mlflow.presenting import experiment_out
from api.mlflow.vocabulary import deleted_wanted
from api.mlflow.wire import BadField, Fields, answer, fields, integer_of
from api.sealing import performs
from domain.experiments import tracking
from domain.experiments.commands import create_experiment
from models.session import transaction

LONGEST_NAME, LONGEST_TAG = 500, 20_000
MOST_PER_PAGE, USUAL_PAGE = 50_000, 1_000


def project_named() -> str | None:
    """The project a client chose by MLflow's header for workspaces."""
    return request.headers.get("X-MLFLOW-WORKSPACE") or None


@performs(create_experiment)
def create() -> Response:
    given = fields()
    name, tags = _name(given, "name"), given.pairs("tags")
    with transaction() as session:
        experiment = tracking.make_experiment(
            session, current_actor(), name=name, tags=tags, project=project_named()
        )
    return answer({"experiment_id": str(experiment.number)})


@performs(tracking.find_by_number)
def get() -> Response:
    number = integer_of("experiment_id", fields().text("experiment_id"))
    with transaction() as session:
        experiment = tracking.find_by_number(
            session, current_actor(), number, project=project_named()
        )
    return answer({"experiment": experiment_out(experiment)})


@performs(tracking.find_by_name)
def get_by_name() -> Response:
    name = fields().text("experiment_name")
    with transaction() as session:
        experiment = tracking.find_by_name(session, current_actor(), name, project=project_named())
    return answer({"experiment": experiment_out(experiment, name=name)})


@performs(tracking.search_experiments)
def search() -> Response:
    given = fields()
    query = [given.text("filter", ""), given.text("view_type", "ACTIVE_ONLY"), project_named()]
    place = page_tokens.unseal(given.optional_text("page_token"), query)
    with transaction() as session:
        found = tracking.search_experiments(
            session,
            current_actor(),
            names=filters.experiment_names(given.text("filter", "")),
            deleted=deleted_wanted(given.text("view_type", "ACTIVE_ONLY")),
            project=project_named(),
            limit=given.count("max_results", default=USUAL_PAGE, most=MOST_PER_PAGE),
            before=place[0] if place else None,
        )
    page: dict[str, Any] = {"experiments": [experiment_out(one) for one in found.items]}
    if found.more:
        page["next_page_token"] = page_tokens.seal([found.items[-1].id], query)
    return answer(page if found.items else None)


@performs(tracking.set_tags)
def set_tag() -> Response:
    given = fields()
    number = integer_of("experiment_id", given.text("experiment_id"))
    tags = {given.text("key"): given.plain_text("value")[:LONGEST_TAG]}
    with transaction() as session:
        tracking.tag_experiment(
            session, current_actor(), number, tags=tags, project=project_named()
        )
    return answer()


def _name(given: Fields, field: str) -> str:
    name = given.text(field)
    if len(name) > LONGEST_NAME:
        raise BadField(f"the name of an experiment may have {LONGEST_NAME} characters")
    return name
