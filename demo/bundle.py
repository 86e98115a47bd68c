"""Checking an exported bundle against its own manifest."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import IO

FORMAT = "runyard-bundle/1"
MANIFEST = "manifest.json"


class BundleBroken(Exception):
    """The bundle is not what its manifest, or the API, says it is."""


def verify(bundle: Path, sha256: str) -> list[str]:
    """Recompute every digest and return the names of the members.

    :raises BundleBroken: naming what differs.
    """
    with bundle.open("rb") as file:
        _refuse_other(bundle.name, _digest(file), sha256)
    with zipfile.ZipFile(bundle) as opened:
        manifest = json.loads(opened.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise BundleBroken(f"{manifest['format']!r} is not the format {FORMAT}")
        listed = {member["path"]: member for member in manifest["members"]}
        if differing := listed.keys() ^ (set(opened.namelist()) - {MANIFEST}):
            raise BundleBroken(f"only on one side of the manifest: {', '.join(sorted(differing))}")
        for path, member in listed.items():
            with opened.open(path) as file:
                _refuse_other(path, _digest(file), member["sha256"])
            _refuse_other(path, opened.getinfo(path).file_size, member["size"])
    return list(listed)


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it reads


def _refuse_other(path: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise BundleBroken(f"{path} is {found} and should be {wanted}")
