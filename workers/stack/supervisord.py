"""The configuration of the keeper, written from the Procfile."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from workers.stack.folder import CHECKOUT, Folder
from workers.stack.refusal import CannotStart

# Its pause between attempts grows by a second each time, so this many is for ever.
RETRIES = 1_000_000

# The doors start first and alone: what they accept is kept until those behind them are up, and a
# small machine would otherwise share itself among all before anything answers.
AT_ONCE = ("web", "live")

# Seconds from TERM to KILL. Celery's workers need 20 to hand their tasks back, and some to notice;
# Flower would wait at its end for workers that no longer answer.
PATIENCE = {"worker-": 45, "flower": 3}
USUAL_PATIENCE = 15
LONGEST_PATIENCE = max(PATIENCE.values())

KEEPER = """\
[unix_http_server]
file = {socket}
chmod = 0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{socket}

[supervisord]
nodaemon = true
silent = true
user = {user}
logfile = {log}
pidfile = {pid}
"""

# TERM goes to the leader alone, for it knows in which order its children should end (a Celery
# child that hears TERM drops its task); KILL goes to all of them.
PROGRAM = """
[program:{name}]
command = /bin/sh -c {command}
directory = {checkout}
autostart = {at_once}
autorestart = true
startsecs = 5
startretries = {retries}
stopwaitsecs = {patience}
stopasgroup = false
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 3
"""


def render(commands: Mapping[str, str], folder: Folder, *, user: str) -> str:
    """The keeper's file for these commands.

    :raises CannotStart: a command cannot be told to the keeper.
    """
    for name, command in commands.items():
        _refuse_cut_short(name, command)
    head = KEEPER.format(
        socket=_plain(folder.control_socket),
        user=user,
        log=_plain(folder.log("supervisord")),
        pid=_plain(folder.path / "supervisord.pid"),
    )
    programs = (
        PROGRAM.format(
            name=name,
            command=_plain(shlex.quote(f"exec {command}")),
            checkout=_plain(CHECKOUT),
            log=_plain(folder.log(name)),
            retries=RETRIES,
            at_once=str(name in AT_ONCE).lower(),
            patience=_patience(name),
        )
        for name, command in commands.items()
    )
    return head + "".join(programs)


def _patience(name: str) -> int:
    return next((s for start, s in PATIENCE.items() if name.startswith(start)), USUAL_PATIENCE)


def _refuse_cut_short(name: str, command: str) -> None:
    for mark in (" ;", " #"):
        if mark in command:
            raise CannotStart(f"{name}: the keeper takes what follows {mark!r} for a comment")


def _plain(value: str | Path) -> str:
    """The keeper expands what follows a percent sign."""
    return str(value).replace("%", "%%")
