"""Forms of numbers and names that come in and go out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.mlflow.artifact_paths import OddArtifactPath, check_plain, parse
from api.mlflow.vocabulary import SAID, STATUSES, UnknownWord, state_said, states_of, status_of
from api.mlflow.wire import BadField, Fields, integer_of, number_of, snake_case
from domain.errors import NotFound
from domain.runs.numbers import number_out
from models.runs import RunState


@given(some.floats())
def test_a_number_comes_back_as_it_went(value: float) -> None:
    back = number_of(number_out(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize(
    ("given_as", "number"), [("12", 12), (12, 12), (12.0, 12), ("-9223372036854775808", -(2**63))]
)
def test_integers_come_in_many_forms(given_as: object, number: int) -> None:
    assert integer_of("n", given_as) == number


@pytest.mark.parametrize("given_as", ["", "x", None, True, 1.5, [], str(2**63)])
def test_what_is_no_integer_is_refused(given_as: object) -> None:
    with pytest.raises(BadField):
        integer_of("n", given_as)


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [("runId", "run_id"), ("run_id", "run_id"), ("pageToken", "page_token"), ("value", "value")],
)
def test_names_are_read_in_either_spelling(given_as: str, expected: str) -> None:
    assert snake_case(given_as) == expected


def test_a_field_in_two_spellings_is_refused() -> None:
    with pytest.raises(BadField):
        Fields({"run_id": "a", "runId": "a"})


def test_every_state_has_a_word() -> None:
    assert set(STATUSES) == set(RunState)
    for state in RunState:
        assert state in states_of(status_of(state))
    for word, state in SAID.items():
        assert status_of(state) == word
    assert state_said("3") is RunState.SUCCEEDED
    with pytest.raises(UnknownWord):
        state_said("dancing")


def test_a_path_tells_whose_file_it_is() -> None:
    run = "0" * 31 + "1"
    found = parse(f"12/{run}/artifacts/a/b c%.txt")
    assert (found.experiment_number, found.run_id.hex, found.rest) == (12, run, "a/b c%.txt")
    assert parse(f"12/{run}/artifacts").rest == ""
    for elsewhere in ("a", f"12/{run}", f"12/{run}/models/x", "x/y/artifacts/z"):
        with pytest.raises(NotFound):
            parse(elsewhere)


@given(some.integers(0, 4), some.sampled_from(["../x", "a/../x", "a/..", "..\\x", "a\0", "./a"]))
def test_encoding_hides_no_way_out(times: int, path: str) -> None:
    for _ in range(times):
        path = "".join(f"%{byte:02x}" for byte in path.encode())
    with pytest.raises(OddArtifactPath):
        check_plain(path)
