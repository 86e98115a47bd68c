import os
import signal
import subprocess
import sys

import pytest

from workers.stack import pieces
from workers.stack.pieces import Ledger, Piece

pytestmark = pytest.mark.slow

STUBBORN_CHILD = "trap '' TERM; sleep 300 & echo $! > child; wait; wait"
LEAVES_A_CHILD = "(trap '' TERM; exec sleep 300) & echo $! > child; exit 0"


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "pieces.json")
    yield ledger
    ledger.end_all(within=0)


def start(ledger, script):
    folder = ledger.file.parent
    return ledger.start("toy", ["sh", "-c", script], log=folder / "log", folder=folder)


def child_of(ledger):
    file = ledger.file.parent / "child"
    assert pieces.wait_until(lambda: file.exists() and file.read_text().strip(), 5)
    return int(file.read_text())


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_piece_that_will_not_go_is_made_to_with_its_children(ledger):
    piece = start(ledger, STUBBORN_CHILD)
    child = child_of(ledger)

    ledger.end("toy", within=0.2)

    assert not pieces.is_alive(piece)
    assert not is_running(child)


def test_children_are_found_after_their_leader_was_killed(ledger):
    piece = start(ledger, LEAVES_A_CHILD)
    child = child_of(ledger)
    assert pieces.wait_until(lambda: not pieces.is_alive(piece), 5)
    assert is_running(child)

    Ledger.read(ledger.file).end_all(within=0.2)

    assert not is_running(child)


def test_a_stranger_who_got_the_number_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        boot = pieces._boot()
        pieces.end(Piece("toy", stranger.pid, f"{boot}/1", signal.SIGTERM), within=0.1)

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_pieces_of_an_earlier_boot_are_left_alone(ledger):
    piece = start(ledger, "sleep 300")

    pieces.end(Piece("toy", piece.pid, "another-boot/1", signal.SIGTERM), within=0.1)

    assert pieces.is_alive(piece)


def test_a_piece_gets_the_farewell_it_asked_for(ledger):
    script = "trap 'echo bye > child; exit' INT; echo up > up; while :; do sleep 0.05; done"
    folder = ledger.file.parent
    ledger.start(
        "toy", ["bash", "-c", script], log=folder / "log", folder=folder, farewell=signal.SIGINT
    )
    assert pieces.wait_until((folder / "up").exists, 5)

    ledger.end("toy", within=5)

    assert (folder / "child").read_text() == "bye\n"


def test_what_a_piece_prints_goes_to_its_log(ledger):
    command = [sys.executable, "-c", "print('hello')"]
    log = ledger.file.parent / "log"
    piece = ledger.start("toy", command, log=log, folder=ledger.file.parent)

    assert pieces.wait_until(lambda: not pieces.is_alive(piece), 10)
    assert log.read_text() == "hello\n"


def test_a_piece_leads_a_session_of_its_own(ledger):
    piece = start(ledger, "sleep 300")

    assert os.getsid(piece.pid) == piece.pid
