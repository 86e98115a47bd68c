"""Use the environment of the stack that runs here.

``python -m workers.stack.env`` prints it for a shell to evaluate; with a command behind it, the
command is run in that environment.
"""

import os
import sys

from workers.stack.environment import published
from workers.stack.folder import data_folder
from workers.stack.refusal import CannotStart


def main(command: list[str]) -> None:
    file = data_folder(os.environ).environment
    try:
        stack = published(file)
    except CannotStart as reason:
        sys.exit(str(reason))
    if not command:
        print(file.read_text(), end="")
        return
    os.execvpe(command[0], command, {**stack, **os.environ})


if __name__ == "__main__":
    main(sys.argv[1:])
