"""A bundle is believed only when every digest is right."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from demo.bundle import BundleBroken, verify

MEMBERS = {"run.json": b"{}", "artifacts/confusion.csv": b"1,0\n0,1\n"}


def write(path: Path, members: dict[str, bytes], listed: dict[str, bytes] = MEMBERS) -> str:
    """A bundle whose manifest lists some members and which holds others; returns its digest."""
    manifest = {
        "format": "runyard-bundle/1",
        "members": [
            {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in listed.items()
        ],
    }
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
        bundle.writestr("manifest.json", json.dumps(manifest))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_whole_bundle_is_verified(tmp_path):
    path = tmp_path / "run.zip"
    digest = write(path, MEMBERS)

    assert verify(path, digest) == list(MEMBERS)


@pytest.mark.parametrize(
    "members",
    [
        MEMBERS | {"run.json": b"[]"},
        MEMBERS | {"stranger.txt": b""},
        {"run.json": b"{}"},
    ],
    ids=["changed", "added", "missing"],
)
def test_a_bundle_that_differs_from_its_manifest_is_refused(tmp_path, members):
    path = tmp_path / "run.zip"
    digest = write(path, members)

    with pytest.raises(BundleBroken):
        verify(path, digest)


def test_a_bundle_that_changed_on_its_way_is_refused(tmp_path):
    path = tmp_path / "run.zip"
    write(path, MEMBERS)

    with pytest.raises(BundleBroken, match=r"run\.zip"):
        verify(path, "0" * 64)
