"""Lists of runs: pages, filters and sorts."""

from typing import Any

import pytest

from models.experiments import Experiment
from models.projects import Project
from tests.api.problems import problem
from tests.factories import make_experiment, make_run, start
from tests.people import Person

NAMES = ["b", "d", "a", "c", "e", "a"]


@pytest.fixture
def path(alice: Person, project: Project, experiment: Experiment) -> str:
    """The list of six runs, made in the order of NAMES; the second is queued."""
    runs = [make_run(alice, experiment, name) for name in NAMES]
    start(alice, runs[1].id)
    return f"/projects/{project.id}/runs"


def pages(person: Person, path: str, **query: object) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        answer = person.get(path, query_string=query)
        assert answer.status_code == 200, answer.json
        found.append(answer.json["items"])
        if answer.json["next_cursor"] is None:
            return found
        query["cursor"] = answer.json["next_cursor"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (None, "aecadb"),
        ("id", "bdacea"),
        ("-id", "aecadb"),
        ("created_at", "bdacea"),
        ("name", "aabcde"),
        ("-name", "edcbaa"),
        ("updated_at", "bacead"),
        ("state", "bacead"),
        ("-state", "daecab"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_pages_hold_every_run_once_in_order(
    alice: Person, path: str, sort: str | None, names: str, limit: int
) -> None:
    found = pages(alice, path, limit=limit, **({"sort": sort} if sort else {}))
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert "".join(run["name"] for page in found for run in page) == names
    assert len({run["id"] for page in found for run in page}) == len(NAMES)


def test_a_full_last_page_has_no_next(alice: Person, path: str) -> None:
    assert [len(page) for page in pages(alice, path, limit=3)] == [3, 3]


def test_runs_written_meanwhile_do_not_disturb_the_pages(
    alice: Person, path: str, experiment: Experiment
) -> None:
    first = alice.get(f"{path}?limit=3").json
    make_run(alice, experiment, "new")
    second = alice.get(f"{path}?limit=3&cursor={first['next_cursor']}").json
    names = [run["name"] for run in first["items"] + second["items"]]
    assert "".join(names) == "aecadb"


def test_lists_leave_the_spec_out(alice: Person, path: str) -> None:
    (run, *_) = alice.get(path).json["items"]
    assert "spec" not in run


def test_runs_are_filtered_by_state(alice: Person, path: str) -> None:
    assert [run["name"] for run in alice.get(f"{path}?state=queued").json["items"]] == ["d"]


def test_runs_are_filtered_by_a_part_of_their_name(alice: Person, path: str) -> None:
    assert len(alice.get(f"{path}?name=A").json["items"]) == 2


def test_runs_are_filtered_by_experiment(alice: Person, path: str, project: Project) -> None:
    other = make_experiment(alice, project, "other")
    make_run(alice, other, "elsewhere")
    found = alice.get(f"{path}?experiment_id={other.id}").json["items"]
    assert [run["name"] for run in found] == ["elsewhere"]


def test_filters_hold_on_every_page(alice: Person, path: str) -> None:
    found = pages(alice, path, limit=1, name="a")
    assert [run["name"] for page in found for run in page] == ["a", "a"]


@pytest.mark.parametrize(
    "misuse", ["sort=name", "name=a", "state=draft", "sort=-name&name=a", "sort=id"]
)
def test_a_cursor_belongs_to_its_query(alice: Person, path: str, misuse: str) -> None:
    cursor = alice.get(f"{path}?limit=1").json["next_cursor"]
    answer = alice.get(f"{path}?limit=1&cursor={cursor}&{misuse}")
    problem(answer, 422, "cursor_refused", "#/query/cursor")


def test_a_cursor_belongs_to_its_list(alice: Person, path: str, experiment: Experiment) -> None:
    cursor = alice.get(f"{path}?limit=1").json["next_cursor"]
    answer = alice.get(f"/experiments/{experiment.id}/runs?cursor={cursor}")
    problem(answer, 422, "cursor_refused")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "é", "a" * 3000, "====", "%F0%9F%98%80"])
def test_a_made_up_cursor_is_refused(alice: Person, path: str, cursor: str) -> None:
    problem(alice.get(f"{path}?cursor={cursor}"), 422)


def test_a_changed_cursor_is_refused(alice: Person, path: str) -> None:
    cursor = alice.get(f"{path}?limit=1").json["next_cursor"]
    changed = cursor[:-4] + ("AAAA" if cursor[-4:] != "AAAA" else "BBBB")
    problem(alice.get(f"{path}?cursor={changed}"), 422, "cursor_refused")


@pytest.mark.parametrize("sort", ["spec", "--name", "name,id", "password_hash", "-", "NAME"])
def test_an_odd_sort_is_refused(alice: Person, path: str, sort: str) -> None:
    problem(alice.get(f"{path}?sort={sort}"), 422, "sort_refused", "#/query/sort")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("limit=1e3", "limit"),
        ("limit=9999999999999999999999999", "limit"),
        ("state=fine", "state"),
        ("experiment_id=7", "experiment_id"),
        ("parent_id=", "parent_id"),
        ("page=2", "page"),
    ],
)
def test_an_odd_argument_is_refused(alice: Person, path: str, query: str, name: str) -> None:
    problem(alice.get(f"{path}?{query}"), 422, "invalid", f"#/query/{name}")


def test_a_stranger_lists_nothing(charlie: Person, path: str, experiment: Experiment) -> None:
    problem(charlie.get(path), 404, "not_found")
    problem(charlie.get(f"/experiments/{experiment.id}/runs"), 404, "not_found")
