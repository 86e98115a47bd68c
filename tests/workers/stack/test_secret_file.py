import json
import stat

from workers.stack.secret_file import read_or_make


def test_secrets_are_made_once(tmp_path):
    file = tmp_path / "secrets.json"

    assert read_or_make(file) == read_or_make(file)


def test_only_we_may_read_them(tmp_path):
    file = tmp_path / "secrets.json"

    read_or_make(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_from_an_older_version_keeps_what_it_has(tmp_path):
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"postgres": "kept"}))

    secrets = read_or_make(file)

    assert secrets.postgres == "kept"
    assert len(secrets.valkey) >= 32


def test_no_secret_is_used_twice(tmp_path):
    read_or_make(tmp_path / "secrets.json")
    values = list(json.loads((tmp_path / "secrets.json").read_text()).values())

    assert len(set(values)) == len(values)
