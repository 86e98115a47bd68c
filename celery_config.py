"""The Celery application: queues, broker limits, beat.

The broker only rings: what is to be done stands in PostgreSQL, so nothing here keeps results,
retries or schedules.
"""

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from kombu.entity import Queue as BrokerQueue

from adapters.logs import configure_logging
from domain.jobs import Queue
from models.session import engine, forget_connections
from settings import settings

celery_app = Celery("runyard", include=["tasks"])
celery_app.conf.update(
    broker_url=settings().redis_url,
    task_queues=[
        BrokerQueue(queue.value)  # type: ignore[no-untyped-call]  # kombu is untyped
        for queue in Queue
    ],
    task_default_queue=Queue.CONTROL.value,
    # Results and their leaks: none; outcomes are rows.
    task_ignore_result=True,
    result_backend=None,
    # A killed worker's message comes back at once; the claim makes a second delivery harmless.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=True,
    worker_prefetch_multiplier=1,
    # Losing the broker must not kill a task that is at work.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_limit=4,
    broker_transport_options={
        "global_keyprefix": "cel:",
        # Correct with any value; a long one only delays deliveries that would do nothing.
        "visibility_timeout": 3600,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    task_time_limit=3600,
    task_soft_time_limit=3500,
    worker_max_tasks_per_child=1000,
    worker_send_task_events=True,
    task_send_sent_event=False,
    event_queue_expires=60,
    event_queue_ttl=5,
    task_serializer="json",
    accept_content=["json"],
    worker_hijack_root_logger=False,
    beat_scheduler="tasks.timetable:TimetableScheduler",
    beat_max_loop_interval=5,
    timezone="UTC",
)


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _set_up_logging(**_: object) -> None:
    configure_logging("worker")


@worker_process_init.connect  # type: ignore[untyped-decorator]  # the same
def _connect_anew(**_: object) -> None:
    forget_connections()
    with engine().connect():
        """So that the first task of a fresh process finds its connection open."""
