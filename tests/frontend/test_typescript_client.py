"""A TypeScript client made from the served document alone drives a real backend."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.accounts.passwords import hashed
from models.accounts import User
from models.session import transaction
from tests.frontend.processes import backend
from tests.people import PASSWORD

HERE = Path(__file__).parent
EMAIL = "dora@example.com"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")),
        reason="Node.js with npm is not installed; it generates and runs the client",
    ),
]


@pytest.fixture
def base_url(database: None) -> Iterator[str]:
    """Where a backend answers in which Dora has an account."""
    with transaction() as session:
        session.add(User(email=EMAIL, name="Dora", password_hash=hashed(PASSWORD)))
    with backend() as address:
        yield address


@pytest.fixture
def client_folder(base_url: str, tmp_path: Path) -> Path:
    """A folder with our program, the types made from the document, and what both need."""
    for name in ("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "frontend.ts"):
        shutil.copy(HERE / name, tmp_path)
    with urllib.request.urlopen(f"{base_url}/api/v1/openapi.json") as served:
        (tmp_path / "openapi.json").write_bytes(served.read())
    run(tmp_path, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_frontend_starts_a_run_and_hears_of_it(base_url: str, client_folder: Path) -> None:
    # A field with a default may be left out of what is sent.
    options = ("--default-non-nullable=false", "--output", "api.ts")
    run(client_folder, "npx", "openapi-typescript", "openapi.json", *options)
    run(client_folder, "npx", "tsc", "--project", ".")
    printed = run(client_folder, "node", "built/frontend.js", base_url, EMAIL, PASSWORD)
    told = json.loads(printed)
    assert told["heard"][0] == "hello"
    assert told["heard"][-1] == told["state"] == "queued"


def test_the_lock_does_not_say_where_packages_came_from() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
    assert all(package.get("integrity") for path, package in lock["packages"].items() if path)
