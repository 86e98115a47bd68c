"""The secrets of a stack: made once, kept in one file that only we may read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


def _secret() -> str:
    return secrets.token_urlsafe(36)


@dataclass(frozen=True)
class Secrets:
    """The passwords and the signing key of one stack."""

    secret_key: str = field(default_factory=_secret)
    postgres: str = field(default_factory=_secret)
    postgres_owner: str = field(default_factory=_secret)
    valkey: str = field(default_factory=_secret)
    flower: str = field(default_factory=_secret)
    flower_cookie: str = field(default_factory=_secret)


def read_or_make(file: Path) -> Secrets:
    """The secrets in the file; those it lacks are made and added."""
    known = json.loads(file.read_text()) if file.exists() else {}
    complete = Secrets(**known)
    if asdict(complete) != known:
        write_private(file, json.dumps(asdict(complete), indent=2))
    return complete


def write_private(file: Path, text: str) -> None:
    """Replace a file at once, readable by us alone from its first moment."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)
