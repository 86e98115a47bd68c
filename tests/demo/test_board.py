"""What the board makes of the news."""

import pytest

from demo.board import Board, DemoFailed

RUN = "0192f3b0-0000-7000-8000-000000000000"


@pytest.fixture
def board() -> Board:
    board = Board()
    board.add(RUN, "lr 0.1")
    return board


def state(name: str, detail: str | None = None) -> dict:
    data = {"state": name, "failure_detail": detail}
    return {"frame": "event", "topic": f"run:{RUN}", "type": "run", "data": data}


def tail(kind: str, *items: object) -> dict:
    return {"frame": "tail", "topic": f"run:{RUN}/{kind}", "items": list(items)}


def test_state_points_progress_and_lines_are_taken(board):
    board.hear(state("running"))
    board.hear(tail("metrics", ["loss", 4, 1000, 0.25], ["accuracy", 4, 1000, 0.9]))
    progress = {"step": 3, "total": 30, "percent": 10.0, "eta_seconds": 12.0}
    board.hear(tail("progress", progress))
    board.hear(tail("log", [1, "stdout", 1000, "epoch 4"]))

    run = board.runs[RUN]
    assert (run.state, run.step, run.total, run.points) == ("running", 4, 30, 2)
    assert run.metrics == {"loss": 0.25, "accuracy": 0.9}
    assert list(board.lines) == [("lr 0.1", "epoch 4")]


def test_news_of_strangers_is_not_ours(board):
    board.hear({**state("failed"), "topic": "run:somebody-else"})

    assert board.runs[RUN].state == "draft"


def test_waiting_ends_with_a_failed_run_and_its_last_lines(board):
    board.hear(tail("log", [1, "stderr", 1000, "Traceback: no such file"]))
    board.hear(state("failed", "exit code 1"))

    with pytest.raises(DemoFailed, match="exit code 1\nTraceback: no such file"):
        board.wait_until(lambda: False, "never", 10)


def test_waiting_ends_when_the_socket_tells_no_more(board):
    board.give_up("4401 signed_out")

    with pytest.raises(DemoFailed, match="4401"):
        board.wait_until(lambda: False, "never", 10)


def test_waiting_has_an_end(board):
    with pytest.raises(DemoFailed, match="until it rained"):
        board.wait_until(lambda: False, "it rained", 0)
