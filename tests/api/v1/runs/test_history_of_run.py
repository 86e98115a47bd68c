"""How a run went: its attempts and its moves."""

from models.runs import Run
from tests.factories import begin_attempt, note_running
from tests.people import Person


def test_every_move_of_a_run_is_kept(alice: Person, victor: Person, run: Run) -> None:
    note_running(begin_attempt(alice, run))
    moves = victor.get(f"/runs/{run.id}/transitions").json["items"]
    assert [(move["before"], move["after"]) for move in moves] == [
        ("draft", "queued"),
        ("queued", "preparing"),
        ("preparing", "running"),
    ]


def test_attempts_are_shown_without_their_secrets(alice: Person, victor: Person, run: Run) -> None:
    note_running(begin_attempt(alice, run))
    (attempt,) = victor.get(f"/runs/{run.id}/attempts").json["items"]
    assert (attempt["number"], attempt["state"]) == (1, "running")
    assert not [name for name in attempt if "token" in name or "pid" in name]
