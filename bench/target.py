"""Which installation is measured, and as whom.

Without ``RUNYARD_URL`` it is the stack of this checkout, where an administrator is made for the
time of the measurement. Accounts cannot be deleted; all that a bench made are deactivated.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import update

from bench.connection import Connection
from domain.accounts.passwords import hashed
from models.accounts import PlatformRole, User
from models.session import transaction
from workers.stack.environment import published
from workers.stack.folder import data_folder
from workers.stack.refusal import CannotStart


@dataclass(frozen=True)
class Target:
    """An installation; without a password only a key is at hand, which may not do everything."""

    url: str
    token: str
    email: str = ""
    password: str = ""

    @property
    def is_signed_in(self) -> bool:
        return bool(self.password)

    def connect(self) -> Connection:
        address = urlsplit(self.url)
        if address.scheme != "http" or address.hostname is None:
            sys.exit(f"{self.url!r} is not an address that begins with http://")
        return Connection(address.hostname, address.port or 80, self.token)


@contextmanager
def target() -> Iterator[Target]:
    """The installation that the environment names, or the stack of this checkout."""
    given = os.environ
    if url := given.get("RUNYARD_URL"):
        email, password = given.get("RUNYARD_EMAIL", ""), given.get("RUNYARD_PASSWORD", "")
        token = given.get("RUNYARD_API_KEY") or ""
        yield _signed_in(url, email, password) if password else Target(url, token)
        return
    enter_stack()
    email, password = f"bench-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(18)
    with transaction() as session:
        session.add(
            User(
                email=email,
                name="Bench",
                password_hash=hashed(password),
                role=PlatformRole.ADMIN,
            )
        )
    try:
        yield _signed_in(os.environ["RUNYARD_PUBLIC_URL"], email, password)
    finally:
        with transaction() as session:
            ours = User.email.like("bench-%@example.com")
            session.execute(update(User).where(ours).values(is_active=False))


def enter_stack() -> None:
    """Take the environment of the stack of this checkout upon this process."""
    try:
        os.environ.update({**published(data_folder(os.environ).environment), **os.environ})
    except CannotStart as reason:
        sys.exit(str(reason))


def _signed_in(url: str, email: str, password: str) -> Target:
    connection = Target(url, "").connect()
    given = {"email": email, "password": password}
    tokens = connection.ask("POST", "/sign-in", given).json()
    return Target(url, tokens["access_token"], email, password)
