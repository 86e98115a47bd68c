"""What a run's spec may say."""

from typing import Any

import pytest

from domain.runs.spec import SpecRefused, changed, difference, read_change, read_spec

SCRIPT = {"script": {"text": "print(1)", "name": "train.py"}}


def test_a_script_alone_runs_with_python() -> None:
    assert read_spec(SCRIPT).argv == ["python", "train.py"]


def test_parameters_follow_the_command() -> None:
    spec = read_spec({**SCRIPT, "parameters": {"lr": 0.1, "shuffle": True, "name": "a b"}})
    assert spec.argv[2:] == ["--lr", "0.1", "--shuffle", "true", "--name", "a b"]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, "/spec/script"),
        ({**SCRIPT, "source_id": "01890000-0000-7000-8000-000000000000"}, "/spec/script"),
        ({"source_id": "01890000-0000-7000-8000-000000000000"}, "/spec/command"),
        ({"script": {"text": ""}}, "/spec/script/text"),
        ({"script": {"text": "1", "name": "../x.py"}}, "/spec/script/name"),
        ({**SCRIPT, "command": ["python", "a\0b"]}, "/spec/command/1"),
        ({**SCRIPT, "command": [1]}, "/spec/command/0"),
        ({**SCRIPT, "command": "python train.py"}, "/spec/command"),
        ({**SCRIPT, "parameters": {"--x": 1}}, "/spec/parameters/--x"),
        ({**SCRIPT, "time_limit_seconds": 0}, "/spec/time_limit_seconds"),
        ({**SCRIPT, "requirements_file": "r.txt"}, "/spec/requirements_file"),
        ({**SCRIPT, "surprise": 1}, "/spec"),
    ],
)
def test_nonsense_is_refused_with_its_place(given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(SpecRefused) as refusal:
        read_spec(given)
    assert refusal.value.pointer == pointer


def test_a_change_replaces_fields_and_single_parameters() -> None:
    before = read_spec({**SCRIPT, "parameters": {"lr": 0.1, "epochs": 3}, "time_limit_seconds": 9})
    change = read_change({"parameters": {"lr": 0.3, "epochs": None}, "time_limit_seconds": None})
    after = changed(before, change)
    assert after.parameters == {"lr": 0.3}
    assert after.time_limit_seconds is None
    assert difference(before, after) == [
        {"path": "/parameters/epochs", "before": 3, "after": None},
        {"path": "/parameters/lr", "before": 0.1, "after": 0.3},
        {"path": "/time_limit_seconds", "before": 9, "after": None},
    ]


def test_an_empty_change_changes_nothing() -> None:
    spec = read_spec({**SCRIPT, "parameters": {"lr": 0.1}})
    assert difference(spec, changed(spec, read_change({}))) == []
