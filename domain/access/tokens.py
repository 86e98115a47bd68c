"""Opaque secrets: how they are made and what is kept of them."""

import hashlib
import secrets
from enum import StrEnum


class Prefix(StrEnum):
    """What a token is for, readable at a glance and by secret scanners."""

    SETUP = "rys_"
    REFRESH = "ryf_"
    KEY = "ryk_"
    RUN = "ryr_"
    TICKET = "ryt_"


def new_token(prefix: Prefix) -> str:
    """A secret of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a token: it is long and random, so a plain fast hash is safe."""
    return hashlib.sha256(token.encode()).digest()
