"""One live process for all tests, and one to be killed for those that need it."""

from collections.abc import Iterator

import pytest

from adapters.redis_bus import RedisBus
from models.runs import Run
from tests.factories import make_experiment, make_project, make_run
from tests.live.listening import LiveProcess
from tests.people import Person


@pytest.fixture(scope="session")
def _live_process(servers: None) -> Iterator[LiveProcess]:
    process = LiveProcess()
    yield process
    process.stop()


@pytest.fixture
def live(_live_process: LiveProcess, database: None) -> LiveProcess:
    return _live_process


@pytest.fixture
def mortal(database: None) -> Iterator[LiveProcess]:
    """A live process that a test may end."""
    process = LiveProcess()
    yield process
    process.kill()


@pytest.fixture
def bus(database: None) -> RedisBus:
    from settings import settings

    return RedisBus(settings().redis_url)


@pytest.fixture
def run(alice: Person) -> Run:
    """Alice's run, of which nothing has been copied to the streams yet."""
    return make_run(alice, make_experiment(alice, make_project(alice)))
