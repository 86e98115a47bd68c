"""Passwords: how they are kept and what is too weak."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import Invalid

SHORTEST = 12
LONGEST = 1024
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified against when there is no such person, so that both answers take equally long.
_NOBODY = _hasher.hash("nobody has this password")


class WeakPassword(Invalid):
    code = "weak_password"


def hashed(password: str) -> str:
    """What is kept of a password: Argon2id. :raises WeakPassword: too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(
            f"a password has {SHORTEST} to {LONGEST} characters", pointer="/password"
        )
    return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept; as slow when nothing is kept."""
    try:
        _hasher.verify(kept or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)
