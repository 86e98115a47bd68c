"""Hearing of the runs over the live socket, in a thread of its own."""

import threading

from demo.api import Api, Refused
from demo.board import Board
from demo.live_client import LiveClient, LiveClosed

TAILS = ("", "/log", "/metrics", "/progress")


class Listener:
    """Passes the news of runs on to a board."""

    def __init__(self, api: Api, live_url: str, board: Board) -> None:
        self.api, self.board = api, board
        self.client = LiveClient(api.base_url, live_url, api.token)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._ended = False

    def follow(self, run_id: str, name: str) -> None:
        """Hear all there is of a run, from its first line on."""
        self.board.add(run_id, name)
        self.client.subscribe({f"run:{run_id}{tail}": 0 for tail in TAILS})

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended = True
        self.client.close()

    def _listen(self) -> None:
        try:
            for frame in self.client:
                if self._ended:
                    return
                if frame["frame"] == "reset":
                    self._look_again(frame["topic"])
                self.board.hear(frame)
        except (LiveClosed, Refused) as reason:
            self.board.give_up(str(reason))

    def _look_again(self, topic: str) -> None:
        """Some news can't be told any more: read how the run stands."""
        run_id = topic.removeprefix("run:").partition("/")[0]
        found = self.api.get(f"/runs/{run_id}")
        run = self.board.add(run_id, found["name"])
        run.state = found["state"]
        self.board.note_progress(run, found["progress"])
        latest = self.api.get(f"/runs/{run_id}/metrics")["items"]
        run.metrics |= {metric["key"]: float(metric["value"]) for metric in latest}
