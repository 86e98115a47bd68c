"""MLflow's endpoint of metric histories."""

from typing import Any

from flask import Response

from api.identity.actor import current_actor
from api.mlflow import page_tokens
from api.mlflow.runs import given_run
from api.mlflow.wire import answer, fields, run_id_of
from api.sealing import performs
from domain.runs.histories import Place, metric_history
from domain.runs.numbers import number_out
from models.session import transaction

USUAL_PAGE = 25_000


@performs(metric_history)
def get_history() -> Response:
    given = fields()
    run, key = given_run(given), given.text("metric_key")
    query = [run, key]
    place = page_tokens.unseal(given.optional_text("page_token"), query)
    with transaction() as session:
        history = metric_history(
            session,
            current_actor(),
            run_id_of(run),
            key,
            limit=given.count("max_results", default=USUAL_PAGE, most=USUAL_PAGE),
            after=Place(*place) if place else None,
        )
    page: dict[str, Any] = {"metrics": [_metric(key, place) for place in history.points]}
    if history.more_after is not None:
        page["next_page_token"] = page_tokens.seal(history.more_after, query)
    return answer(page if history.points else None)


def _metric(key: str, place: Place) -> dict[str, Any]:
    return {
        "key": key,
        "value": number_out(place.value),
        "timestamp": place.logged_ms,
        "step": place.step,
    }
