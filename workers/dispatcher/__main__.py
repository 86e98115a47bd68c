"""``python -m workers.dispatcher``: run one, or several side by side."""

import sys

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.assembly import build_ports
from adapters.logs import configure_logging
from settings import settings
from workers.bell import Bell
from workers.dispatcher.broker import Broker
from workers.dispatcher.rounds import REAP_SECONDS, Rounds
from workers.shutdown import Shutdown

log = structlog.get_logger()


def main() -> int:
    configure_logging("dispatcher")
    shutdown = Shutdown()
    rounds = Rounds(Broker(), build_ports(settings()).bus)
    try:
        with Bell(settings().database_url) as bell:
            log.info("dispatching")
            while not shutdown.asked:
                if not rounds.go():
                    bell.wait(until=REAP_SECONDS)
    except (SQLAlchemyError, psycopg.Error) as problem:
        log.error("the database does not answer; leaving to be started again", problem=str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
