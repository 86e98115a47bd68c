import stat
import subprocess
import sys

import pytest

from workers.stack import environment
from workers.stack.folder import CHECKOUT, Folder
from workers.stack.refusal import CannotStart
from workers.stack.secret_file import Secrets


def compose(tmp_path, given):
    return environment.compose(
        Folder(tmp_path), Secrets(), given, database_url="postgresql://d", redis_url="redis://r"
    )


def test_the_addresses_follow_the_ports(tmp_path):
    composed = compose(tmp_path, {"PORT_WEB": "9000", "PORT_LIVE": "9001"})

    assert composed["RUNYARD_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert composed["RUNYARD_LIVE_URL"] == "ws://127.0.0.1:9001"


def test_what_the_user_set_stays(tmp_path):
    composed = compose(tmp_path, {"RUNYARD_PUBLIC_URL": "https://lab.test"})

    assert composed["RUNYARD_PUBLIC_URL"] == "https://lab.test"


def test_what_is_published_is_read_back_and_private(tmp_path):
    file = tmp_path / "env"
    composed = {"A": "it's", "B": "x y=z"}

    environment.publish(composed, file)

    assert environment.published(file) == composed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_stack_there_is_nothing_to_read(tmp_path):
    with pytest.raises(CannotStart, match="make run"):
        environment.published(tmp_path / "env")


@pytest.mark.slow
def test_a_command_runs_in_the_environment_of_the_stack(tmp_path):
    environment.publish({"PORT_WEB": "9000"}, tmp_path / "env")

    said = subprocess.run(
        [sys.executable, "-m", "workers.stack.env", "sh", "-c", "echo $PORT_WEB"],
        env={"RUNYARD_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "9000\n"
