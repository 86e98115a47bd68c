"""Settings are read from the environment and refused loudly when they make no sense."""

import runpy
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from msgspec import Meta

from settings import Profile, Settings, SettingsRefused, read, variable

GOOD = {
    "DATABASE_URL": "postgresql://u:p@localhost/runyard",
    "REDIS_URL": "redis://localhost:6379/0",
    "RUNYARD_SECRET_KEY": "k3Jx9vQ2mZ7pL0wR5tY8uB1nC4dF6gHa",
}
PRODUCTION = GOOD | {"RUNYARD_PROFILE": "production"}


def described(field: str) -> str:
    hint = get_type_hints(Settings, include_extras=True)[field]
    metas = [meta for meta in get_args(hint) if isinstance(meta, Meta)]
    return next((meta.description for meta in metas if meta.description), "")


@pytest.mark.parametrize("field", Settings.__struct_fields__)
def test_every_setting_is_explained(field: str) -> None:
    assert described(field)


def test_three_settings_are_enough() -> None:
    settings = read(GOOD)
    assert settings.profile is Profile.DEVELOPMENT
    assert settings.origins == ()


@pytest.mark.parametrize("name", GOOD)
def test_each_of_them_is_required(name: str) -> None:
    with pytest.raises(SettingsRefused, match=name):
        read({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_setting_is_a_missing_one(name: str) -> None:
    with pytest.raises(SettingsRefused, match=name):
        read(GOOD | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNYARD_SLOTS", "many"),
        ("RUNYARD_SLOTS", "0"),
        ("RUNYARD_SLOTS", "-1"),
        ("RUNYARD_SLOTS", "1.5"),
        ("RUNYARD_LEASE_SECONDS", "0"),
        ("RUNYARD_LEASE_SECONDS", "soon"),
        ("RUNYARD_PROFILE", "staging"),
        ("RUNYARD_SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://localhost"),
        ("DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", "http://localhost"),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsRefused, match=name):
        read(GOOD | {name: value})


@pytest.mark.parametrize(
    "secret", ["a" * 40, "change-me-" * 5, "my-secret-key-" * 3, "Password1" * 5, "abab" * 10]
)
def test_production_refuses_a_weak_secret(secret: str) -> None:
    with pytest.raises(SettingsRefused, match="RUNYARD_SECRET_KEY"):
        read(PRODUCTION | {"RUNYARD_SECRET_KEY": secret})


def test_production_refuses_any_origin() -> None:
    with pytest.raises(SettingsRefused, match="RUNYARD_ALLOWED_ORIGINS"):
        read(PRODUCTION | {"RUNYARD_ALLOWED_ORIGINS": "https://a.example, *"})


def test_production_takes_what_is_good() -> None:
    assert read(PRODUCTION).profile is Profile.PRODUCTION


def test_no_refusal_shows_a_secret() -> None:
    for name in ("RUNYARD_SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        with pytest.raises(SettingsRefused) as refusal:
            read(GOOD | {name: "hunter2"})
        assert "hunter2" not in str(refusal.value)


def test_origins_are_separated_by_commas() -> None:
    given = {"RUNYARD_ALLOWED_ORIGINS": " https://a.example ,https://b.example, "}
    assert read(GOOD | given).origins == ("https://a.example", "https://b.example")


def test_paths_lie_below_the_data_folder_unless_given() -> None:
    settings = read(GOOD | {"RUNYARD_DATA_DIR": "/data"})
    assert settings.artifacts_path == Path("/data/artifacts")
    assert settings.runs_path == Path("/data/runs")
    given = read(GOOD | {"RUNYARD_ARTIFACTS_DIR": "/big", "RUNYARD_RUNS_DIR": "/fast"})
    assert (given.artifacts_path, given.runs_path) == (Path("/big"), Path("/fast"))


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        read(GOOD).slots = 2  # type: ignore[misc]


def test_the_list_names_every_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["settings.py"])
    runpy.run_path(str(Path(__file__).parents[1] / "settings.py"), run_name="__main__")
    printed = capsys.readouterr().out
    for field in msgspec.structs.fields(Settings):
        assert variable(field.name) in printed
