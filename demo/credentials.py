"""A key for the demo, made on this machine and revoked at the end.

Whoever may read the stack's database address owns the installation, so nobody is asked for a
password. Where nobody administers the installation yet, the demo's own administrator is made;
the password lies in a file that only the owner of the data folder may read.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.access.policy import Actor, ActorKind
from domain.accounts.api_keys import issue_api_key, revoke_api_key
from domain.accounts.setup import create_first_admin, first_admin, issue_setup_token
from models.session import transaction
from workers.stack.secret_file import write_private

EMAIL = "demo@example.com"
LIFE_SECONDS = 3600.0


def make_administrator_if_none(password_file: Path) -> bool:
    """Make the administrator of the demo unless there is one; whether it did."""
    password = secrets.token_urlsafe(18)
    with transaction() as session:
        token = issue_setup_token(session)
        if token is None:
            return False
        # The file comes first: an account nobody has the password of would be worse.
        write_private(password_file, f"{EMAIL} {password}\n")
        create_first_admin(session, token=token, email=EMAIL, name="Demo", password=password)
    return True


@contextmanager
def key_of_first_administrator() -> Iterator[str]:
    """A key that lives as long as the block, and an hour at most."""
    with transaction() as session:
        admin = first_admin(session)
        if admin is None:
            raise LookupError("every administrator of this installation is deactivated")
        issued = issue_api_key(session, admin.id, name="demo", seconds=LIFE_SECONDS)
    try:
        yield issued.token
    finally:
        with transaction() as session:
            actor = Actor(ActorKind.USER, admin.id, admin.role)
            revoke_api_key(session, actor, None, key_id=issued.key.id)
