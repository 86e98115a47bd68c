"""The one form of path that MLflow's artifact proxy takes here.

It is ``<experiment>/<run>/artifacts/…``: whose file it is can be read off it, and nothing
that lies elsewhere can be named.
"""

from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from domain.errors import Invalid, NotFound

MOST_DECODINGS = 5
LONGEST_PART = 255


class OddArtifactPath(Invalid):
    """The path is not a plain one."""

    code = "odd_path"


@dataclass(frozen=True)
class ArtifactPath:
    """Whose artifact a path means, and which: empty means all of the run's."""

    experiment_number: int
    run_id: UUID
    rest: str


def parse(path: str) -> ArtifactPath:
    """Read a path of the proxy.

    :raises OddArtifactPath: it is not plain. :raises NotFound: it lies nowhere in a run.
    """
    check_plain(path)
    number, run, folder, *rest = *path.split("/", 3), "", "", ""
    try:
        run_id = UUID(hex=run)
        experiment_number = int(number)
    except ValueError:
        raise NotFound(f"there is no artifact at {path}") from None
    if folder != "artifacts":
        raise NotFound(f"there is no artifact at {path}")
    return ArtifactPath(experiment_number, run_id, rest[0])


def check_plain(path: str) -> None:
    """However often it is decoded, a path must lead nowhere but down. :raises OddArtifactPath:"""
    seen = path
    for _ in range(MOST_DECODINGS):
        if not _is_plain(seen):
            raise OddArtifactPath(f"{path!r} is not a plain path")
        decoded = unquote(seen)
        if decoded == seen:
            return
        seen = decoded
    raise OddArtifactPath(f"{path!r} is encoded too often")


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    printable = path.isprintable() and "\\" not in path and "�" not in path
    return printable and all(
        part and part.strip(" ") not in (".", "..") and len(part.encode()) <= LONGEST_PART
        for part in parts
    )
