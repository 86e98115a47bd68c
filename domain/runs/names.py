"""What metrics, parameters and tags may be called."""

import posixpath
import re
from functools import lru_cache

from domain.errors import Invalid

LONGEST_NAME = 250
ALLOWED = re.compile(r"[\w\-. :/]+")
ADOPTED_TAG = "runyard.adopted_by"


class NameRefused(Invalid):
    """No metric, parameter or tag can be called that."""

    code = "name_refused"


@lru_cache(maxsize=10_000)
def check_name(name: str) -> None:
    """Names may look like paths, so they must be plain ones.

    :raises NameRefused: saying what is wrong with the name.
    """
    if len(name) > LONGEST_NAME:
        raise NameRefused(f"a name may have {LONGEST_NAME} characters, this has {len(name)}")
    if not ALLOWED.fullmatch(name):
        raise NameRefused(
            f"the name {name!r} may hold letters, digits, spaces and any of _ - . : / only"
        )
    if name != posixpath.normpath(name) or name.startswith(("/", "..")) or name == ".":
        raise NameRefused(f"the name {name!r} must not look like a path that leads elsewhere")


def check_tag(name: str) -> None:
    """:raises NameRefused: it is no name, or one that Runyard keeps for itself."""
    check_name(name)
    if name == ADOPTED_TAG:
        raise NameRefused(f"the tag {name} is written by Runyard alone")
