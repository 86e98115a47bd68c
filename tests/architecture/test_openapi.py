"""The OpenAPI document is valid and complete enough to build a client from it alone."""

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.sealing import doors

Operation = tuple[str, str, dict[str, Any]]
SELF_EVIDENT = ("format", "enum", "$ref", "items", "anyOf", "allOf")


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    served = app.test_client().get("/api/v1/openapi.json")
    assert served.status_code == 200
    body: dict[str, Any] = served.json
    return body


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


def named(operation: Operation) -> str:
    return f"{operation[0].upper()} {operation[1]}"


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_holds_every_native_route(app: Flask, operations: list[Operation]) -> None:
    documented = {(method.upper(), path) for method, path, _ in operations}
    routes = {
        (method, rule.rule.replace("<uuid:", "{").replace("<path:", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "docs.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == routes


def test_every_operation_is_described(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        name = f"{method.upper()} {path}"
        assert operation["summary"], name
        assert not operation["summary"].endswith("."), name
        assert operation["tags"], name
        permission = operation["x-permission"]
        if permission == "none":
            assert operation["security"] == [], name
            assert "Open to all: " in operation["description"], name
        else:
            assert f"Needs the permission `{permission}`." in operation["description"], name


def test_the_permission_told_is_the_one_asked_for(app: Flask, operations: list[Operation]) -> None:
    told = {operation["operationId"]: operation["x-permission"] for *_, operation in operations}
    asked = {
        endpoint.rpartition(".")[2]: door.permission
        for endpoint, door in doors(app).items()
        if endpoint.rpartition(".")[2] in told
    }
    assert told == asked


def test_every_operation_has_a_name_of_its_own(operations: list[Operation]) -> None:
    names = Counter(operation["operationId"] for *_, operation in operations)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(name.isidentifier() for name in names)


def test_every_tag_is_explained(document: dict[str, Any], operations: list[Operation]) -> None:
    used = {tag for *_, operation in operations for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"] if tag["description"]}


def test_every_answer_has_a_shape(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        for status, answer in operation["responses"].items():
            where = f"{method.upper()} {path} {status}"
            assert answer["description"], where
            if status == "204":
                assert "content" not in answer, where
                continue
            (kind,) = answer["content"]
            assert answer["content"][kind]["schema"], where
            is_refusal = status == "default" or status >= "400"
            assert (kind == "application/problem+json") is is_refusal, where


def test_every_operation_tells_its_refusals(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        told = operation["responses"].keys()
        assert {"422", "default"} <= told, path
        if operation["x-permission"] != "none":
            assert {"401", "403", "404"} <= told, path
        if method == "patch":
            assert {"412", "428"} <= told, path


def test_accepted_answers_tell_where_to_follow_them(operations: list[Operation]) -> None:
    accepted = [operation for *_, operation in operations if "202" in operation["responses"]]
    assert len(accepted) == 4
    for operation in accepted:
        assert "Location" in operation["responses"]["202"]["headers"]
        assert "Idempotency-Key" in [given["name"] for given in operation["parameters"]]


def test_examples_fit_their_schemas(document: dict[str, Any], operations: list[Operation]) -> None:
    count = 0
    for method, path, operation in operations:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (body.get("content", {}) for body in bodies):
            for kind in content.keys() & {"application/json", "application/problem+json"}:
                schema = {**content[kind]["schema"], "components": document["components"]}
                example = content[kind]["example"]
                problems = list(Draft202012Validator(schema).iter_errors(example))
                assert not problems, (method, path, problems[0].message)
                count += 1
    assert count > 200


def test_every_parameter_is_explained(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (method, path, parameter["name"])


def test_every_schema_is_explained(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for field, shape in schema["properties"].items():
            is_plain = not any(word in shape for word in SELF_EVIDENT)
            if is_plain and shape.get("type") != "boolean":
                assert "description" in shape or "example" in shape, f"{name}.{field}"


def test_nothing_secret_is_answered(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, shape in schema["properties"].items():
            if "password" in field:
                assert shape["writeOnly"], f"{name}.{field}"
            assert "hash" not in field
            assert "digest" not in field
