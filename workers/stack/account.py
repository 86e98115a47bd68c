"""The account that the embedded servers run under.

PostgreSQL refuses to serve as root, and a data store has no business with root's rights anyway. An
ordinary user's servers run as that user; root's run as a system account without a shell.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "runyard"


@dataclass(frozen=True)
class Account:
    """A user and a group that a process can be started under."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    @property
    def switch(self) -> dict[str, Any]:
        """What ``subprocess`` wants to hear to start a process under this account."""
        if not self.is_other:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path, mode: int) -> None:
        """Give a path to this account alone, with the mode named."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def server_account() -> Account:
    """The account for the servers, made at first need when we are root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = _find(NAME) or _make(NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str) -> pwd.struct_passwd:
    useradd = shutil.which("useradd")
    if useradd:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        # Not checked: another session may have made the account first, or /etc be read-only.
        subprocess.run([useradd, *options, name], check=False, capture_output=True)
    return _find(name) or pwd.getpwnam("nobody")
