"""Reads the requirements of a run: names, versions, extras, markers and hashes, nothing else.

Options and addresses would let a run choose where the platform fetches code from.
"""

import re

from packaging.requirements import InvalidRequirement, Requirement

from domain.errors import Invalid

LONGEST = 64 * 1024
COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)
HASH = re.compile(r"\s--hash[=\s]([a-z0-9]+:[0-9a-fA-F]+)")


class RequirementsRefused(Invalid):
    """A line that isn't a plain requirement; the message says which and why."""

    code = "requirements_refused"


def parse_requirements(text: str) -> tuple[str, ...]:
    """Normalise a requirements text: one requirement each, sorted, without comments.

    :raises RequirementsRefused: it holds options, addresses, or what is no requirement.
    """
    if len(text) > LONGEST:
        raise RequirementsRefused(f"the requirements are longer than {LONGEST} characters")
    joined = COMMENT.sub("", text).replace("\\\r\n", " ").replace("\\\n", " ")
    lines = (line.strip() for line in joined.splitlines())
    return tuple(sorted({_normalised(line) for line in lines if line}))


def _normalised(line: str) -> str:
    if line.startswith("-"):
        raise RequirementsRefused(f"{_shown(line)}: options are not allowed in requirements")
    hashes = sorted(HASH.findall(line))
    plain = HASH.sub("", line)
    if " --" in plain:
        raise RequirementsRefused(f"{_shown(line)}: options are not allowed in requirements")
    try:
        requirement = Requirement(plain)
    except InvalidRequirement as problem:
        raise RequirementsRefused(f"{_shown(line)}: {_first_line(problem)}") from None
    if requirement.url:
        raise RequirementsRefused(f"{_shown(line)}: addresses are not allowed in requirements")
    return " ".join([str(requirement), *(f"--hash={digest}" for digest in hashes)])


def _shown(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:80] + "…")


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]
