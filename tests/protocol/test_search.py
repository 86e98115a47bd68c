"""Searching runs: MLflow's grammar, orders and pages."""

from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.protocol.conftest import House

LOSSES: dict[str, float | None] = {
    "a": 0.5,
    "b": float("nan"),
    "c": None,
    "d": 0.1,
    "e": 0.5,
    "f": None,
    "g": 2.0,
}


@pytest.fixture
def client(house: House, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Seven runs, a to g, some with a loss and some without."""
    client = house.alice.act(monkeypatch)
    where = client.create_experiment("here")
    for place, (name, loss) in enumerate(LOSSES.items()):
        run = client.create_run(where, run_name=name, start_time=1_000_000 - place)
        run_id = run.info.run_id
        client.log_param(run_id, "even", str(place % 2 == 0))
        if place < 3:
            client.set_tag(run_id, "my key", f"It's {name}")
        if loss is not None:
            client.log_metric(run_id, "loss", loss, step=1)
    client.set_terminated(run_id, "FAILED")
    return client


def names(client: MlflowClient, wanted: str = "", **kwargs: Any) -> str:
    where = client.get_experiment_by_name("here").experiment_id
    return "".join(run.info.run_name for run in client.search_runs([where], wanted, **kwargs))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", "gfedcba"),
        ("metrics.loss > 0.1", "gea"),
        ("metrics.loss>=0.1 and metrics.loss < 1", "eda"),
        ("metrics.`loss` = 0.5", "ea"),
        ("metrics.loss != 0.5", "gdb"),
        ("metrics.nothing > 0", ""),
        ("params.even = 'True'", "geca"),
        ('params."even" != "True" AND metrics.loss < 1', "d"),
        ("param.even LIKE 'T%' and attributes.status = 'RUNNING'", "eca"),
        ('tags.`my key` ILIKE "it\'s %"', "cba"),
        ('tags.`my key` = "It\'s b"', "b"),
        ("tags.`my key` IS NULL", "gfed"),
        ("tags.`my key` IS NOT NULL", "cba"),
        ("status = 'FAILED'", "g"),
        ("attributes.status != 'FAILED'", "fedcba"),
        ("status = 'DANCING'", ""),
        ("run_name = 'c'", "c"),
        ("run_name LIKE 'd'", "d"),
        ("start_time >= 999998 and start_time < 1000000", "cb"),
        ("created = 999999.5", ""),
        ("run_id = 'not an id'", ""),
    ],
)
def test_filters(client: MlflowClient, wanted: str, expected: str) -> None:
    assert names(client, wanted) == expected


def test_runs_are_found_by_id(client: MlflowClient) -> None:
    where = client.get_experiment_by_name("here").experiment_id
    first, second, *_ = client.search_runs([where])
    ids = f"'{first.info.run_id}', '{second.info.run_id}'"
    assert names(client, f"run_id IN ({ids})") == "gf"
    assert names(client, f"attributes.run_id NOT IN ({ids})") == "edcba"
    assert names(client, f"run_id != '{first.info.run_id}'") == "fedcba"


ORDERS = [
    (["metrics.loss ASC"], "deagbfc"),
    (["metrics.loss DESC", "run_name"], "gaedbcf"),
    (["params.even", "attributes.start_time ASC"], "fdbgeca"),
    (["tags.`my key` DESC"], "cbagfed"),
    (["start_time"], "gfedcba"),
    (["attributes.end_time DESC"], "gfedcba"),
    (["run_name desc"], "gfedcba"),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_orders_hold_over_pages(
    client: MlflowClient, order: list[str], expected: str, size: int
) -> None:
    where = client.get_experiment_by_name("here").experiment_id
    seen, token = "", None
    while True:
        page = client.search_runs([where], order_by=order, max_results=size, page_token=token)
        seen += "".join(run.info.run_name for run in page)
        if not (token := page.token):
            break
    assert seen == expected


def test_a_token_is_good_for_its_query_only(client: MlflowClient) -> None:
    where = client.get_experiment_by_name("here").experiment_id
    token = client.search_runs([where], max_results=2).token
    for other in ({"order_by": ["run_name"]}, {"filter_string": "run_name = 'a'"}):
        with pytest.raises(MlflowException) as refused:
            client.search_runs([where], page_token=token, **other)
        assert refused.value.get_http_status_code() == 400


@pytest.mark.parametrize(
    "wanted",
    [
        "metrics.loss > 'x'",
        "params.even = 1",
        "params.even > '1'",
        "run_name = 'a' OR run_name = 'b'",
        "(run_name = 'a')",
        "nonsense.x = '1'",
        "colour = 'red'",
        "run_name =",
        "run_name = 'a",
        "run_name = 'a' run_name = 'b'",
        "run_id IN 'a'",
        "run_id IN ('a'",
        "tags. = 'a'",
        "start_time > 99999999999999999999",
    ],
)
def test_what_is_not_understood_is_refused(client: MlflowClient, wanted: str) -> None:
    with pytest.raises(MlflowException) as refused:
        names(client, wanted)
    assert refused.value.get_http_status_code() == 400


@pytest.mark.parametrize("order", [["loss"], ["run_name", "run_name"], ["run_name UP"], ["a b c"]])
def test_orders_that_make_no_sense_are_refused(client: MlflowClient, order: list[str]) -> None:
    with pytest.raises(MlflowException) as refused:
        names(client, order_by=order)
    assert refused.value.get_http_status_code() == 400


def test_a_page_of_runs_costs_three_statements(
    client: MlflowClient, house: House, statements: list[str]
) -> None:
    house.alice.post("runs/search", {"experiment_ids": ["1"]})
    statements.clear()
    assert len(house.alice.post("runs/search", {"experiment_ids": ["1"]}).json()["runs"]) == 7
    assert len(statements) == 3
