"""The dispatcher's own line to the broker.

It is one connection that is thrown away on any error: kombu's shared pools stay broken for
good once they were force-closed.
"""

from typing import Any

from kombu.exceptions import OperationalError
from kombu.messaging import Producer

from celery_config import celery_app
from domain.jobs import Job
from models.outbox import OutboxMessage

# The reaper waits for us meanwhile; what was not sent is sent again anyway.
IMPATIENT = {"socket_timeout": 2, "socket_connect_timeout": 1, "max_retries": 0}
BROKEN = (OperationalError, OSError, *celery_app.connection().recoverable_connection_errors)


class Broker:
    """Hands messages to Celery by name; only ids travel."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._producer: Any = None

    def send(self, message: OutboxMessage) -> None:
        """Publish one message. :raises Exception: one of ``BROKEN``; call ``drop`` then."""
        if self._producer is None:
            self._connection = celery_app.connection_for_write(transport_options=IMPATIENT)
            self._producer = Producer(self._connection)  # type: ignore[no-untyped-call]  # untyped
        job = Job(message.job)
        celery_app.send_task(
            job.value,
            kwargs={"message_id": str(message.id)},
            task_id=f"{message.id}:{message.sends}",
            queue=job.queue.value,
            producer=self._producer,
            retry=False,
        )

    def drop(self) -> None:
        """Forget the connection; the next message makes a new one."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()
