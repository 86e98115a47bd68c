"""MLflow's search grammar, read into our terms."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.mlflow.filters import FilterRefused, clauses, experiment_names, run_conditions, run_orders
from domain.experiments.tracking import NameIs
from domain.runs.conditions import Condition, Operator, Subject
from domain.runs.ordering import OrderBy
from models.runs import RunState


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.loss<0.5", Condition(Subject.METRIC, Operator.LESS, 0.5, "loss")),
        ("metric.a/b-c >= -1e-3", Condition(Subject.METRIC, Operator.AT_LEAST, -0.001, "a/b-c")),
        ("params.`a b` = 'x'", Condition(Subject.PARAM, Operator.EQUAL, "x", "a b")),
        ('tags."a b" <> "x y"', Condition(Subject.TAG, Operator.NOT_EQUAL, "x y", "a b")),
        (
            "tag.mlflow.user like '%a%'",
            Condition(Subject.TAG, Operator.LIKE, "%a%", "mlflow.user"),
        ),
        ("params.x is  not NULL", Condition(Subject.PARAM, Operator.IS_NOT_NULL, None, "x")),
        ("attr.run_name = 'x'", Condition(Subject.NAME, Operator.EQUAL, "x")),
        ("`run_name` = 'and'", Condition(Subject.NAME, Operator.EQUAL, "and")),
    ],
)
def test_a_clause_is_a_condition(text: str, expected: Condition) -> None:
    assert run_conditions(text) == [expected]


def test_a_status_means_all_states_it_stands_for() -> None:
    [condition] = run_conditions("status = 'Killed'")
    assert condition.operator is Operator.IN
    assert set(condition.value) == {RunState.STOPPED, RunState.SKIPPED}


def test_clauses_are_joined_by_and_in_any_case() -> None:
    assert len(clauses("metrics.a > 1 and params.b = 'and' AND tags.c = \"x and y\"")) == 3


def test_an_empty_filter_asks_for_nothing() -> None:
    assert run_conditions("  ") == []


def test_orders_have_directions() -> None:
    assert run_orders(["metrics.`a b` desc", "start_time ASC", "params.lr"]) == [
        OrderBy(Subject.METRIC, descending=True, key="a b"),
        OrderBy(Subject.STARTED_AT),
        OrderBy(Subject.PARAM, key="lr"),
    ]


def test_experiments_are_filtered_by_name() -> None:
    assert experiment_names("name = 'a' AND attribute.name ILIKE 'b%' and name != 'c'") == [
        NameIs("a"),
        NameIs("b%", like=True, ignoring_case=True),
        NameIs("c", negated=True),
    ]
    with pytest.raises(FilterRefused):
        experiment_names("creation_time > 5")


@given(some.text(alphabet=" abc.'\"`=<>!(),0123456789ANDmetricsparams%", max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(FilterRefused):  # and nothing else
        run_conditions(text)
