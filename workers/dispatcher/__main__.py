"""``python -m workers.dispatcher``: run one, or several side by side."""

import sys
import time
from collections.abc import Callable

import psycopg
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from adapters.assembly import build_ports
from adapters.logs import configure_logging
from domain.ports import Bus
from domain.runs.attempts import grant_fresh_leases
from models.session import transaction
from settings import settings
from workers.bell import Bell
from workers.dispatcher.broker import BROKEN, Broker
from workers.dispatcher.pump import BATCH, NEWS_BATCH, dispatch, reap, stream_news
from workers.shutdown import Shutdown

log = structlog.get_logger()
REAP_SECONDS = 1.0
BROKER_PAUSE_SECONDS = 0.5
MOST_FAILURES = 20


class Rounds:
    """The dispatcher's duties; one that fails rests a little and keeps no other from its work."""

    def __init__(self, broker: Broker, bus: Bus) -> None:
        self.broker, self.bus = broker, bus
        self.reaped_at = 0.0
        self.failures = 0
        self.rest_until: dict[str, float] = {}

    def go(self) -> bool:
        """One round; whether there is likely more to do at once."""
        more = self._attend("dispatch", lambda: dispatch(self.broker) == BATCH)
        more |= self._attend("stream", lambda: stream_news(self.bus) == NEWS_BATCH)
        if time.monotonic() - self.reaped_at >= REAP_SECONDS:
            self.reaped_at = time.monotonic()
            reap()
        return more

    def _attend(self, duty: str, work: Callable[[], bool]) -> bool:
        if time.monotonic() < self.rest_until.get(duty, 0.0):
            return False
        try:
            more = work()
        except (*BROKEN, RedisError) as problem:
            self.broker.drop()
            self.failures += 1
            self.rest_until[duty] = time.monotonic() + BROKER_PAUSE_SECONDS
            log.warning("the broker does not answer", duty=duty, problem=str(problem))
            if self.failures >= MOST_FAILURES:
                raise
            return False
        self.failures = 0
        return more


def main() -> int:
    configure_logging("dispatcher")
    shutdown = Shutdown()
    rounds = Rounds(Broker(), build_ports(settings()).bus)
    try:
        with Bell(settings().database_url) as bell:
            # While no dispatcher ran nobody could be reaped; that is no sign of being lost.
            with transaction() as session:
                grant_fresh_leases(session)
            log.info("dispatching")
            while not shutdown.asked:
                if not rounds.go():
                    bell.wait(until=REAP_SECONDS)
    except (SQLAlchemyError, psycopg.Error) as problem:
        log.error("the database does not answer; leaving to be started again", problem=str(problem))
        return 1
    except (*BROKEN, RedisError):
        log.error("the broker has not answered for long; leaving to be started again")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
