"""The table of states holds together."""

from domain.runs.lifecycle import MOVES
from models.runs import OVER, RunState


def test_every_state_stands_in_the_table() -> None:
    assert set(MOVES) == set(RunState)


def test_only_final_states_have_no_way_out() -> None:
    assert {state for state, moves in MOVES.items() if not moves} == OVER


def test_every_state_is_reached_from_a_draft() -> None:
    reached, border = {RunState.DRAFT}, [RunState.DRAFT]
    while border:
        new = MOVES[border.pop()] - reached
        reached |= new
        border.extend(new)
    assert reached == set(RunState)


def test_every_state_can_end() -> None:
    ending = set(OVER)
    while more := {s for s, moves in MOVES.items() if moves & ending} - ending:
        ending |= more
    assert ending == set(RunState)
