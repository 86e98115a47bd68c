import http.server
import threading

import pytest

from workers.stack import readiness
from workers.stack.folder import Folder
from workers.stack.pieces import Ledger
from workers.stack.ports import LOOPBACK, free_port
from workers.stack.refusal import CannotStart

pytestmark = pytest.mark.slow


class Door(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


class ClosedDoor(Door):
    status = 503


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path)
    folder.logs.mkdir()
    return folder


@pytest.fixture
def keeper(folder):
    ledger = Ledger(folder.pieces)
    yield ledger.start("keeper", ["sleep", "60"], log=folder.log("keeper"), folder=folder.path)
    ledger.end_all(within=1)


def serve(door):
    server = http.server.ThreadingHTTPServer((LOOPBACK, 0), door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def test_it_returns_when_both_doors_answer(folder, keeper):
    port = serve(Door)

    readiness.wait_for_doors({"PORT_WEB": port, "PORT_LIVE": port}, folder, keeper)


def test_a_door_that_stays_shut_is_named_with_its_log(folder, keeper, monkeypatch):
    monkeypatch.setattr(readiness, "READY_SECONDS", 0.3)
    folder.log("live").write_text("starting\nImportError: no moon\nworker ended\n")
    ports = {"PORT_WEB": serve(Door), "PORT_LIVE": serve(ClosedDoor)}

    with pytest.raises(
        CannotStart, match=r"live does not answer .*live\.log.*ImportError: no moon"
    ):
        readiness.wait_for_doors(ports, folder, keeper)


def test_nobody_waits_for_a_keeper_that_ended(folder):
    ledger = Ledger(folder.pieces)
    ended = ledger.start("keeper", ["true"], log=folder.log("keeper"), folder=folder.path)

    with pytest.raises(CannotStart, match="the keeper ended"):
        readiness.wait_for_doors({"PORT_WEB": free_port(), "PORT_LIVE": 1}, folder, ended)
