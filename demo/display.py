"""The story in a terminal, with live bars; elsewhere in plain lines."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.board import Board, Watched

COLOURS = {"succeeded": "green", "failed": "red", "stopped": "yellow", "running": "cyan"}
LINES_SHOWN = 8
PLAIN_SECONDS = 2.0
PLAIN_WIDTH = 120


class Display:
    """Where the demo speaks."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else PLAIN_WIDTH
        self.console = Console(highlight=False, width=width)

    def say(self, sentence: str) -> None:
        self.console.print(Text(sentence), soft_wrap=True)

    def chapter(self, title: str) -> None:
        self.console.print(Text(f"\n{title}", style="bold"))

    def show_table(
        self, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        if title:
            self.say(title)
        shown = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
        for heading in headings:
            shown.add_column(heading, no_wrap=True)
        for row in rows:
            shown.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
        self.console.print(shown)

    @contextmanager
    def following(self, board: Board) -> Iterator[None]:
        """Show how the runs come along for as long as the block lasts."""
        if self.console.is_terminal:
            with Live(
                get_renderable=lambda: _picture(board),
                console=self.console,
                refresh_per_second=8,
                transient=True,
            ):
                yield
            return
        ended = threading.Event()
        reporter = threading.Thread(target=self._report, args=(board, ended), daemon=True)
        reporter.start()
        try:
            yield
        finally:
            ended.set()
            reporter.join()

    def _report(self, board: Board, ended: threading.Event) -> None:
        said: dict[str, str] = {}
        while not ended.wait(PLAIN_SECONDS):
            for run in list(board.runs.values()):
                line = " ".join(part for part in (run.name, *_columns(run)) if part)
                if said.get(run.id) != line:
                    said[run.id] = line
                    self.say(f"  {line}")


def _picture(board: Board) -> RenderableType:
    runs = Table.grid(padding=(0, 2))
    for run in list(board.runs.values()):
        state, progress, measured, rest = _columns(run)
        bar = ProgressBar(total=run.total or 100, completed=run.step, width=30)
        runs.add_row(
            run.name, Text(state, style=COLOURS.get(state, "")), bar, progress, measured, Text(rest)
        )
    lines = list(board.lines)[-LINES_SHOWN:]
    log = Text("\n".join(f"{name:10} │ {text}" for name, text in lines), no_wrap=True)
    return Group(runs, Panel(log, title="log", title_align="left", height=LINES_SHOWN + 2))


def _columns(run: Watched) -> tuple[str, str, str, str]:
    """State, progress, loss, and what else there is to say."""
    progress = f"{run.step}/{run.total}" if run.total else ""
    measured = f"loss {run.metrics['loss']:.4f}" if "loss" in run.metrics else ""
    if run.is_over:
        rest = ""
    elif run.eta_seconds is not None:
        rest = f"{run.eta_seconds:.0f} s left"
    else:
        rest = run.detail.splitlines()[0][:60] if run.detail else ""
    return run.state, progress, measured, rest
