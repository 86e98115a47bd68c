"""What stands on the wire: spellings, refusals, limits, and what a call costs."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from models.metrics import MetricTail
from models.runs import Run
from models.session import transaction
from tests.protocol.conftest import API, PROXY, House


@pytest.fixture
def run_id(house: House) -> str:
    return str(house.alice.post("runs/create", {}).json()["run"]["info"]["run_id"])


def data_of(house: House, run_id: str) -> dict[str, Any]:
    data: dict[str, Any] = house.alice.get("runs/get", run_id=run_id).json()["run"]["data"]
    return data


def test_both_prefixes_answer_alike(house: House, run_id: str) -> None:
    for prefix in ("/api", "/ajax-api"):
        found = house.alice.call("GET", f"{prefix}/2.0/mlflow/runs/get", params={"run_id": run_id})
        assert found.json()["run"]["info"]["run_id"] == run_id


def test_spellings_and_number_forms_are_taken_as_they_come(house: House, run_id: str) -> None:
    bodies = (
        {"runId": run_id, "key": "a", "value": "1.5", "timestamp": "7", "step": "-2"},
        {"run_uuid": run_id, "run_id": run_id, "key": "b", "value": "NaN", "timestamp": 7},
        {"run_id": run_id, "key": "c", "value": "-Infinity", "timestamp": 7, "unknown": [1]},
        {"run_id": run_id, "key": "d", "value": 3, "timestamp": 7},
    )
    for body in bodies:
        assert house.alice.post("runs/log-metric", body).json() == {}
    values = {m["key"]: (m["value"], m["step"]) for m in data_of(house, run_id)["metrics"]}
    assert values == {"a": (1.5, -2), "b": ("NaN", 0), "c": ("-Infinity", 0), "d": (3.0, 0)}
    camel = house.alice.post("runs/create", {"experimentId": "0", "runName": "camel"}).json()
    assert camel["run"]["info"]["run_name"] == "camel"
    twice = house.alice.post("runs/create", {"runName": "a", "run_name": "b"})
    assert twice.status_code == 400


def test_old_clients_may_encode_twice(house: House, run_id: str) -> None:
    body = '"{\\"run_id\\": \\"' + run_id + '\\", \\"key\\": \\"k\\", \\"value\\": \\"v\\"}"'
    assert house.alice.call("POST", f"{API}/runs/set-tag", data=body).status_code == 200
    assert {"key": "k", "value": "v"} in data_of(house, run_id)["tags"]


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("runs/log-metric", {"key": "", "value": 1, "timestamp": 1}),
        ("runs/log-metric", {"key": "a", "value": "much", "timestamp": 1}),
        ("runs/log-metric", {"key": "a", "value": 1}),
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": -1}),
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1, "step": 2**63}),
        ("runs/log-metric", {"key": "../a", "value": 1, "timestamp": 1}),
        ("runs/log-metric", {"key": "a//b", "value": 1, "timestamp": 1}),
        ("runs/log-metric", {"key": "a" * 251, "value": 1, "timestamp": 1}),
        ("runs/log-metric", {"key": "a\0", "value": 1, "timestamp": 1}),
        ("runs/set-tag", {"key": "a;b", "value": "1"}),
        ("runs/set-tag", {"key": "runyard.adopted_by", "value": "1"}),
        ("runs/log-batch", {"metrics": [{"key": "a", "value": 1, "timestamp": 1}] * 1001}),
        ("runs/log-batch", {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]}),
        ("runs/log-batch", {"params": [{"key": "p", "value": v} for v in "12"]}),
        ("runs/update", {"status": "DANCING"}),
    ],
)
def test_what_makes_no_sense_is_refused_once_and_writes_nothing(
    house: House, run_id: str, endpoint: str, body: dict[str, Any]
) -> None:
    refused = house.alice.post(endpoint, {"run_id": run_id, **body})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    data = data_of(house, run_id)
    assert (data["metrics"], data["params"]) == ([], [])


def test_unknown_endpoints_say_so_in_json(house: House) -> None:
    calls = (
        ("GET", f"{API}/registered-models/get"),
        ("POST", f"{API}/runs/get"),
        ("POST", f"{API}/logged-models"),
        ("GET", "/ajax-api/2.0/mlflow/nothing"),
        ("POST", "/api/3.0/mlflow/traces"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/x"),
    )
    for method, path in calls:
        refused = house.alice.call(method, path)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
        assert path in refused.json()["message"]


def test_nobody_gets_in_without_a_credential(house: House, run_id: str) -> None:
    for token in ("", "ryk_wrong", "ryr_wrong"):
        refused = house.alice.call(
            "GET", f"{API}/runs/get?run_id={run_id}", headers={"Authorization": f"Bearer {token}"}
        )
        assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHENTICATED")
    for path in ("/health", "/version", "/api/3.0/mlflow/server-info"):
        assert house.alice.call("GET", path, headers={"Authorization": ""}).status_code == 200


def test_a_key_may_come_as_the_password_of_basic(house: House, run_id: str) -> None:
    found = house.alice.session.get(
        f"{house.base}{API}/runs/get", params={"run_id": run_id}, auth=("me", house.alice.token)
    )
    assert found.status_code == 200


def test_a_database_that_is_away_is_worth_asking_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    from api.mlflow import runs

    def away(*_: object, **__: object) -> None:
        raise OperationalError("select", {}, Exception("connection refused"))

    monkeypatch.setattr(runs, "find_run_even_deleted", away)
    refused = house.alice.get("runs/get", run_id="0" * 32)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def raw_status(house: House, method: str, path: str, body: bytes = b"") -> int:
    """Send a path as it is written: a client library would tidy it up."""
    connection = http.client.HTTPConnection(urlsplit(house.base).netloc)
    connection.putrequest(method, path, skip_host=False)
    connection.putheader("Authorization", f"Bearer {house.alice.token}")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    return connection.getresponse().status


@pytest.mark.parametrize(
    "rest",
    [
        "../x",
        "a/../../x",
        "%2e%2e/x",
        "%252e%252e/x",
        "%25252e%25252e%25252fx",
        "a%2f..%2f..%2fx",
        "..%5cx",
        "a%5c..%5cx",
        "./x",
        "a//x",
        "x/",
        "x%00",
        "%252e./x",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(house: House, run_id: str, rest: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        path = f"{PROXY}/1/{run_id}/artifacts/{rest}"
        assert raw_status(house, method, path, b"x" if method == "PUT" else b"") == 400
    listed = house.alice.get("artifacts/list", run_id=run_id, path=rest)
    if not rest.endswith("/"):
        assert listed.status_code == 400
    assert "files" not in house.alice.get("artifacts/list", run_id=run_id).json()


def test_only_places_within_runs_exist(house: House, run_id: str) -> None:
    for path in ("x", "1/x", f"1/{run_id}", f"1/{run_id}/x", f"2/{run_id}/artifacts/x", "%2fetc/x"):
        status = house.alice.call("PUT", f"{PROXY}/{path}", data=b"x").status_code
        assert status in (400, 404)
    assert house.alice.call("GET", PROXY, params={"path": "1"}).status_code == 404
    assert house.alice.call("GET", PROXY).status_code == 400


def test_artifacts_are_handed_out_as_files_and_in_ranges(house: House, run_id: str) -> None:
    path = f"{PROXY}/1/{run_id}/artifacts/page.html"
    assert house.alice.call("PUT", path, data=b"<script>").json() == {}
    found = house.alice.call("GET", path)
    assert found.content == b"<script>"
    assert found.headers["Content-Disposition"].startswith("attachment")
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    part = house.alice.call("GET", path, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"scr")
    assert house.alice.call("GET", path + "x").status_code == 404
    assert house.alice.call("DELETE", path).status_code == 200
    assert house.alice.call("DELETE", path).status_code == 200
    assert house.alice.call("GET", path).status_code == 404


def test_artifacts_heed_roles(house: House, run_id: str) -> None:
    path = f"{PROXY}/1/{run_id}/artifacts/x"
    assert house.victor.call("PUT", path, data=b"x").status_code == 403
    assert house.charlie.call("PUT", path, data=b"x").status_code == 404
    assert house.bob.call("PUT", path, data=b"x").status_code == 200
    assert house.victor.call("GET", path).status_code == 200
    assert house.victor.call("DELETE", path).status_code == 403
    assert house.charlie.call("GET", path).status_code == 404
    assert house.charlie.get("artifacts/list", run_id=run_id).status_code == 404


def test_eight_threads_may_set_one_new_tag(house: House, run_id: str) -> None:
    body = {"run_id": run_id, "key": "same", "value": "x"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: house.alice.post("runs/set-tag", body).status_code, range(16))
        )
    assert set(answers) == {200}


def test_eight_threads_lose_no_point_and_know_the_latest(house: House, run_id: str) -> None:
    def log(thread: int) -> list[int]:
        return [
            house.alice.post(
                "runs/log-batch",
                {
                    "run_id": run_id,
                    "metrics": [
                        {"key": f"m{key}", "value": thread, "timestamp": 1, "step": step}
                        for key in sorted(range(5), reverse=thread % 2 == 0)
                    ],
                    "tags": [{"key": f"t{thread}", "value": str(step)}],
                },
            ).status_code
            for step in range(10)
        ]

    with ThreadPoolExecutor(8) as threads:
        statuses = [status for answers in threads.map(log, range(8)) for status in answers]
    assert set(statuses) == {200}
    data = data_of(house, run_id)
    assert {m["key"]: (m["step"], m["value"]) for m in data["metrics"]} == {
        f"m{key}": (9, 7.0) for key in range(5)
    }
    assert {t["key"]: t["value"] for t in data["tags"] if t["key"][0] == "t"} == {
        f"t{thread}": "9" for thread in range(8)
    }
    history = house.alice.get("metrics/get-history", run_id=run_id, metric_key="m0").json()
    assert len(history["metrics"]) == 80
    with transaction() as session:
        number = session.scalars(select(Run.number)).one()
        assert session.get_one(MetricTail, number).ordinal == 8 * 10 * 5


def test_a_history_is_paged(house: House, run_id: str) -> None:
    metrics = [
        {"key": "m", "value": value, "timestamp": 5, "step": step}
        for step in (1, 2)
        for value in (3, "NaN")
    ]
    house.alice.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
    query = {"run_id": run_id, "metric_key": "m", "max_results": 1}
    seen, token = [], None
    while True:
        page = house.alice.get("metrics/get-history", **query, page_token=token).json()
        seen += [(m["step"], m["value"]) for m in page["metrics"]]
        if not (token := page.get("next_page_token")):
            break
    assert seen == [(1, 3.0), (1, "NaN"), (2, 3.0), (2, "NaN")]
    for wrong in ("garbage", "%%%", token or "AAAA"):
        assert house.alice.get("metrics/get-history", **query, page_token=wrong).status_code == 400


def test_hot_calls_cost_few_statements(house: House, run_id: str, statements: list[str]) -> None:
    metric = {"run_id": run_id, "key": "loss", "value": 1, "timestamp": 1}
    house.alice.post("runs/log-metric", metric)  # hears of the name, notes the key's use

    def count(endpoint: str, body: dict[str, Any]) -> int:
        statements.clear()
        assert house.alice.post(endpoint, body).status_code == 200
        return len(statements)

    batch = [{"key": "loss", "value": n, "timestamp": n} for n in range(100)]
    assert count("runs/log-metric", metric) == 3
    assert count("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"}) == 3
    assert count("runs/set-tag", {"run_id": run_id, "key": "t", "value": "1"}) == 3
    assert count("runs/log-batch", {"run_id": run_id, "metrics": batch}) == 3
    statements.clear()
    house.alice.get("runs/get", run_id=run_id)
    assert len(statements) == 3


def test_live_listeners_hear_of_points_once_they_are_kept(house: House, run_id: str) -> None:
    from uuid import UUID

    import orjson
    import redis

    from adapters.redis_bus import stream_key
    from settings import settings

    house.alice.post(
        "runs/log-batch",
        {
            "run_id": run_id,
            "metrics": [
                {"key": "a", "value": 1, "timestamp": 5, "step": 2},
                {"key": "b", "value": "NaN", "timestamp": 6},
            ],
        },
    )
    with redis.Redis.from_url(settings().redis_url) as client:
        [(_, fields)] = client.xrange(stream_key(f"run:{UUID(run_id)}/metrics"))
    assert (int(fields[b"first"]), int(fields[b"last"])) == (1, 2)
    assert orjson.loads(fields[b"items"]) == [["a", 2, 5, 1.0], ["b", 0, 6, "NaN"]]
