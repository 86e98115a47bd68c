"""A right that ends, ends at once on open sockets too."""

import time

from sqlalchemy import update

from adapters.redis_bus import RedisBus
from domain.accounts.api_keys import issue_api_key, revoke_api_key
from domain.accounts.sessions import sign_out, tell_rights_changed
from domain.clock import in_seconds
from domain.projects.commands import remove_member
from models.accounts import UserSession
from models.projects import Project, ProjectRole
from models.runs import Run
from models.session import transaction
from tests.factories import make_experiment, make_project, make_run
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import tell_steps
from tests.people import Person

AT_ONCE = 1.5


def remove_from(project: Project, owner: Person, member: Person) -> None:
    with transaction() as session:
        remove_member(
            session, owner.actor, session.get_one(Project, project.id), email=member.email
        )


def test_signing_out_closes_the_socket(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.hear("hello")
        with transaction() as session:
            sign_out(session, alice.actor, None)
        code, bye = ear.hear_close(within=AT_ONCE)
    assert (code, bye and bye["reason"]) == (4401, "signed_out")


def test_revoking_a_key_closes_its_sockets_only(live: LiveProcess, alice: Person) -> None:
    with transaction() as session:
        key = issue_api_key(session, alice.user_id, name="script", seconds=60)
    with Ear(live, token=key.token) as by_key, Ear(live, token=alice.token) as by_session:
        by_key.hear("hello")
        with transaction() as session:
            revoke_api_key(session, alice.actor, None, key_id=key.key.id)
        assert by_key.hear_close(within=AT_ONCE)[0] == 4401
        by_session.subscribe("run:x")
        assert by_session.hear("refused")


def test_an_expired_session_closes_the_socket(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.hear("hello")
        with transaction() as session:
            session.execute(
                update(UserSession)
                .where(UserSession.id == alice.session_id)
                .values(expires_at=in_seconds(-1))
            )
            tell_rights_changed(session)
        assert ear.hear_close(within=AT_ONCE)[0] == 4401


def test_leaving_the_project_closes_the_socket(
    live: LiveProcess, bus: RedisBus, alice: Person, bob: Person
) -> None:
    project = make_project(alice, bob=(bob, ProjectRole.VIEWER))
    run = make_run(alice, make_experiment(alice, project))
    with Ear(live, token=bob.token) as ear:
        ear.subscribe(f"run:{run.id}")
        ear.hear("subscribed")
        remove_from(project, alice, bob)
        tell_steps(bus, f"run:{run.id}", 1)
        code, bye = ear.hear_close(within=AT_ONCE)
    assert (code, bye and bye["reason"]) == (4403, "right_withdrawn")


def test_leaving_a_project_one_does_not_listen_to_closes_nothing(
    live: LiveProcess, alice: Person, bob: Person, run: Run
) -> None:
    project = make_project(alice, "another", bob=(bob, ProjectRole.VIEWER))
    with Ear(live, token=bob.token) as ear:
        ear.hear("hello")
        remove_from(project, alice, bob)
        time.sleep(0.3)
        ear.subscribe(f"project:{project.id}")
        assert ear.hear("refused")["code"] == "not_found"
