from configparser import RawConfigParser

import pytest
from supervisor.options import ServerOptions

from workers.stack.folder import Folder
from workers.stack.refusal import CannotStart
from workers.stack.supervisord import render


def understood_by_the_keeper(tmp_path, commands):
    folder = Folder(tmp_path)
    folder.logs.mkdir()
    file = tmp_path / "supervisord.conf"
    file.write_text(render(commands, folder, user="root"))
    options = ServerOptions()
    options.realize(["-c", str(file)])
    return {
        program.name: program
        for group in options.configroot.supervisord.process_group_configs
        for program in group.process_configs
    }


def test_the_keeper_runs_what_the_procfile_says(tmp_path):
    command = "celery -n runs@%h --port ${PORT:-1} --say 'done'"

    programs = understood_by_the_keeper(tmp_path, {"worker-runs": command})

    quoted = command.replace("'", "'\"'\"'")
    assert programs["worker-runs"].command == f"/bin/sh -c 'exec {quoted}'"


@pytest.mark.parametrize("command", ["a ; b", "a # b"])
def test_a_command_that_the_keeper_would_cut_short_is_refused(tmp_path, command):
    with pytest.raises(CannotStart, match="web: the keeper"):
        render({"web": command}, Folder(tmp_path), user="root")


def test_what_dies_is_started_again_for_ever(tmp_path):
    program = understood_by_the_keeper(tmp_path, {"web": "serve"})["web"]

    assert program.autorestart
    assert program.startretries > 100_000
    assert program.killasgroup


def test_the_doors_start_first(tmp_path):
    programs = understood_by_the_keeper(tmp_path, {"web": "a", "live": "b", "beat": "c"})

    assert [name for name, program in programs.items() if program.autostart] == ["live", "web"]


def test_celery_has_time_to_hand_its_tasks_back(tmp_path):
    programs = understood_by_the_keeper(tmp_path, {"worker-runs": "a", "beat": "b"})

    assert programs["worker-runs"].stopwaitsecs > 20 > programs["beat"].stopwaitsecs


def test_the_control_socket_is_for_us_alone(tmp_path):
    parser = RawConfigParser()
    parser.read_string(render({}, Folder(tmp_path), user="root"))

    assert parser["unix_http_server"]["chmod"] == "0600"
    assert "inet_http_server" not in parser
