from pathlib import Path

import pytest

from workers.stack import procfile
from workers.stack.folder import CHECKOUT
from workers.stack.refusal import CannotStart


def write(folder: Path, text: str) -> Path:
    file = folder / "Procfile"
    file.write_text(text)
    return file


def test_each_line_is_a_process(tmp_path):
    file = write(tmp_path, "# said in passing\n\nweb: serve --port ${PORT:-1}\nbeat: tick: tock\n")

    assert procfile.read(file) == {"web": "serve --port ${PORT:-1}", "beat": "tick: tock"}


@pytest.mark.parametrize("line", ["web", "web:", "Web!: serve", "web: a\nweb: b"])
def test_a_line_that_makes_no_sense_is_named(tmp_path, line):
    with pytest.raises(CannotStart, match=r"line \d of .*Procfile"):
        procfile.read(write(tmp_path, line))


def test_our_own_procfile_lists_every_kind_of_process():
    assert {
        "web",
        "live",
        "worker-control",
        "worker-runs",
        "worker-exports",
        "beat",
        "dispatcher",
        "launcher",
        "flower",
    } <= procfile.read(CHECKOUT / "Procfile").keys()


def test_no_process_of_ours_listens_beyond_this_machine():
    for command in procfile.read(CHECKOUT / "Procfile").values():
        assert "0.0.0.0" not in command
        if "--port" in command or "--bind" in command:
            assert "127.0.0.1" in command
