"""The dispatcher's duties, round after round."""

import time
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from domain.ports import Bus
from settings import settings
from workers.dispatcher.broker import BROKEN, Broker
from workers.dispatcher.pump import (
    BATCH,
    NEWS_BATCH,
    dispatch,
    expire_late,
    lose_silent,
    stream_news,
)

log = structlog.get_logger()
REAP_SECONDS = 1.0
BROKER_PAUSE_SECONDS = 0.5


class Vigil:
    """How long we have been listening without a gap.

    While the database is away, or the machine sleeps, nobody can be heard: only who stayed silent
    for a whole lease of our listening is lost.
    """

    def __init__(self, lease_seconds: float) -> None:
        self._lease = lease_seconds
        self._since = self._listened_at = _now()

    def listen(self) -> bool:
        """Note that we listen now; whether silence means anything by now."""
        now = _now()
        if now - self._listened_at > self._lease / 2:
            self._since = now
        self._listened_at = now
        return now - self._since >= self._lease


class Rounds:
    """One that fails for want of the broker rests a little and keeps no other from its work."""

    def __init__(self, broker: Broker, bus: Bus) -> None:
        self.broker, self.bus = broker, bus
        self.vigil = Vigil(settings().lease_seconds)
        self.reaped_at = 0.0
        self.rest_until: dict[str, float] = {}

    def go(self) -> bool:
        """One round; whether there is likely more to do at once."""
        more = self._attend("dispatch", lambda: dispatch(self.broker) == BATCH)
        more |= self._attend("stream", lambda: stream_news(self.bus) == NEWS_BATCH)
        if time.monotonic() - self.reaped_at >= REAP_SECONDS:
            self.reaped_at = time.monotonic()
            expire_late()
            if self.vigil.listen():
                lose_silent()
        return more

    def _attend(self, duty: str, work: Callable[[], bool]) -> bool:
        if time.monotonic() < self.rest_until.get(duty, 0.0):
            return False
        try:
            return work()
        except (*BROKEN, RedisError) as problem:
            self.broker.drop()
            self.rest_until[duty] = time.monotonic() + BROKER_PAUSE_SECONDS
            log.warning("the broker does not answer", duty=duty, problem=str(problem))
            return False


def _now() -> float:
    """Unlike the monotonic clock this one goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
