"""Who belongs to a project: roles act at once, and somebody always owns it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from models.projects import Project
from tests.api.problems import problem
from tests.people import Person


def set_role(actor: Person, project: Project, person: Person, role: str) -> TestResponse:
    given = {"email": person.email, "role": role}
    return actor.put(f"/projects/{project.id}/members", given)


def remove(actor: Person, project: Project, person: Person) -> TestResponse:
    return actor.delete(f"/projects/{project.id}/members?email={person.email}")


def test_members_are_listed_by_name(victor: Person, project: Project) -> None:
    members = victor.get(f"/projects/{project.id}/members").json["items"]
    assert [(member["name"], member["role"]) for member in members] == [
        ("Alice", "owner"),
        ("Bob", "editor"),
        ("Victor", "viewer"),
    ]


def test_a_person_is_added(alice: Person, charlie: Person, project: Project) -> None:
    answer = set_role(alice, project, charlie, "viewer")
    assert answer.status_code == 200
    assert answer.json["email"] == charlie.email
    assert charlie.get(f"/projects/{project.id}").status_code == 200


def test_a_new_role_acts_at_once(alice: Person, victor: Person, project: Project) -> None:
    path = f"/projects/{project.id}/experiments"
    problem(victor.post(path, {"name": "mine"}), 403, "forbidden")
    assert set_role(alice, project, victor, "editor").json["role"] == "editor"
    assert victor.post(path, {"name": "mine"}).status_code == 201


def test_a_removal_acts_at_once(alice: Person, bob: Person, project: Project) -> None:
    assert remove(alice, project, bob).status_code == 204
    problem(bob.get(f"/projects/{project.id}"), 404, "not_found")


def test_the_address_may_be_written_in_capitals(
    alice: Person, bob: Person, project: Project
) -> None:
    path = f"/projects/{project.id}/members?email={bob.email.upper()}"
    assert alice.delete(path).status_code == 204


def test_a_removal_of_no_member_is_not_found(
    alice: Person, charlie: Person, project: Project
) -> None:
    problem(remove(alice, project, charlie), 404, "not_found")


def test_nobody_without_an_account_is_added(alice: Person, project: Project) -> None:
    given = {"email": "nobody@example.com", "role": "viewer"}
    answer = alice.put(f"/projects/{project.id}/members", given)
    problem(answer, 422, "no_such_person", "/email")


@pytest.mark.parametrize("role", ["king", "", None, 1, "admin"])
def test_there_is_no_such_role(alice: Person, bob: Person, project: Project, role: str) -> None:
    problem(set_role(alice, project, bob, role), 422, "invalid", "/role")


def test_the_last_owner_stays(alice: Person, project: Project) -> None:
    problem(set_role(alice, project, alice, "viewer"), 409, "last_owner")
    problem(remove(alice, project, alice), 409, "last_owner")


def test_one_of_two_owners_may_go(alice: Person, bob: Person, project: Project) -> None:
    assert set_role(alice, project, bob, "owner").status_code == 200
    assert remove(alice, project, alice).status_code == 204
    problem(set_role(bob, project, bob, "editor"), 409, "last_owner")


def test_of_two_owners_leaving_at_once_one_stays(
    alice: Person, bob: Person, project: Project
) -> None:
    set_role(alice, project, bob, "owner")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda person: remove(person, project, person), [alice, bob]))
    assert sorted(answer.status_code for answer in answers) == [204, 409]


def test_a_maintainer_adds_and_removes_editors(
    alice: Person, bob: Person, charlie: Person, project: Project
) -> None:
    set_role(alice, project, bob, "maintainer")
    assert set_role(bob, project, charlie, "editor").status_code == 200
    assert remove(bob, project, charlie).status_code == 204


def test_a_maintainer_does_not_touch_leaders(
    alice: Person, bob: Person, charlie: Person, project: Project
) -> None:
    set_role(alice, project, bob, "maintainer")
    problem(set_role(bob, project, charlie, "maintainer"), 403, "forbidden")
    problem(set_role(bob, project, bob, "owner"), 403, "forbidden")
    problem(set_role(bob, project, alice, "viewer"), 403, "forbidden")
    problem(remove(bob, project, alice), 403, "forbidden")


def test_an_editor_manages_nobody(bob: Person, victor: Person, project: Project) -> None:
    problem(set_role(bob, project, victor, "editor"), 403, "forbidden")
    problem(remove(bob, project, victor), 403, "forbidden")


def test_a_deactivated_person_is_no_person_to_add(
    alice: Person, charlie: Person, project: Project
) -> None:
    from sqlalchemy import update

    from models.accounts import User
    from models.session import transaction

    with transaction() as session:
        session.execute(update(User).where(User.id == charlie.user_id).values(is_active=False))
    problem(set_role(alice, project, charlie, "viewer"), 422, "no_such_person")
