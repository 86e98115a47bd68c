"""The whole house, running, and Alice in it."""

from collections.abc import Iterator

import psycopg
import pytest
from uuid_utils.compat import uuid7

from domain.accounts.passwords import hashed
from tests.journeys.bench import PASSWORD, Bench
from tests.stack import Stack, eventually

ALICE = "alice@example.com"


@pytest.fixture(scope="package")
def _stack() -> Iterator[Stack]:
    stack = Stack()
    try:
        stack.start()
        _make_account(stack)
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(_stack: Stack) -> Iterator[Stack]:
    """Every process up, and no run left when the test is over."""
    _stack.wait_until_up()
    yield _stack
    _stack.wait_until_up()


@pytest.fixture
def bench(stack: Stack) -> Iterator[Bench]:
    bench = Bench(stack, ALICE)
    yield bench
    _end_all_runs(bench)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What the processes said goes into the report of a failed test."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:  # type: ignore[attr-defined]
        report.sections.append(("the stack's logs", stack.logs()))  # type: ignore[attr-defined]
    return report  # type: ignore[return-value]


def _make_account(stack: Stack) -> None:
    with psycopg.connect(stack.engines.postgres.url) as connection:
        connection.execute(
            "insert into users (id, email, name, password_hash, role, is_active, version)"
            " values (%s, %s, 'Alice', %s, 'user', true, 1)",
            (uuid7(), ALICE, hashed(PASSWORD)),
        )


def _end_all_runs(bench: Bench) -> None:
    unfinished = "select id from runs where state in ('queued', 'preparing', 'running', 'stopping')"
    for (run_id,) in bench.stack.rows(unfinished):
        answer = bench.patient_call("POST", f"/runs/{run_id}/stop", json={"grace_seconds": 0})
        assert answer.status_code in (202, 409), answer.text
    eventually(lambda: not bench.stack.rows(unfinished), within=60)
