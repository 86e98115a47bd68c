"""The Procfile: one line per kind of process, ``name: command``."""

import re
from pathlib import Path

from workers.stack.refusal import CannotStart

LINE = re.compile(r"(?P<name>[a-z][a-z0-9-]*):\s*(?P<command>\S.*)")


def read(file: Path) -> dict[str, str]:
    """The commands by their names, in the order of the file.

    :raises CannotStart: a line is no ``name: command``, or a name comes twice.
    """
    commands: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if not match or match["name"] in commands:
            raise CannotStart(f"line {number} of {file} is no new `name: command`: {line}")
        commands[match["name"]] = match["command"]
    return commands
