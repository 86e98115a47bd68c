"""One round of the dispatcher's work, in short transactions."""

from sqlalchemy import func, select, tuple_, update

from domain.events.encoding import encode
from domain.intents import commands as intents
from domain.intents import delivery
from domain.ports import Bus
from domain.runs import attempts
from domain.runs.quarantine import set_aside
from models.events import Event
from models.intents import SETTLED, Intent
from models.outbox import OutboxMessage
from models.session import transaction
from workers.dispatcher.broker import BROKEN, Broker

BATCH = 100
NEWS_BATCH = 500


def dispatch(broker: Broker) -> int:
    """Hand due messages to the broker, holding nothing meanwhile, and say how many were due.

    Who crashes in between has put them down to be sent again.
    """
    with transaction() as session:
        due = delivery.take_due(session, BATCH)
    failed = [message for message in due if delivery.has_failed_for_good(message)]
    for message in failed:
        with transaction() as session:
            set_aside(session, message.id)
    _send(broker, [message for message in due if message not in failed])
    return len(due)


def stream_news(bus: Bus) -> int:
    """Copy news to the live streams; a crash before the commit copies it again, harmlessly."""
    with transaction() as session:
        news = session.scalars(
            select(Event)
            .where(~Event.is_streamed)
            .order_by(Event.topic, Event.seq)
            .limit(NEWS_BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if news:
            bus.stream([(event.topic, event.seq, encode(event)) for event in news])
            session.execute(
                update(Event)
                .where(tuple_(Event.topic, Event.seq).in_([(e.topic, e.seq) for e in news]))
                .values(is_streamed=True)
                .execution_options(synchronize_session=False)
            )
        return len(news)


def lose_silent() -> int:
    """Take attempts whose lease has lapsed for lost."""
    with transaction() as session:
        silent = attempts.expired(session)
        for attempt in silent:
            attempts.lose(session, attempt)
    return len(silent)


def expire_late() -> int:
    """Let intents expire whose deadline has passed."""
    with transaction() as session:
        late = session.scalars(
            select(Intent)
            .where(Intent.state.not_in(SETTLED), Intent.deadline_at < func.clock_timestamp())
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for intent in late:
            intents.expire(session, intent)
    return len(late)


def _send(broker: Broker, messages: list[OutboxMessage]) -> None:
    sent: list[OutboxMessage] = []
    try:
        for message in messages:
            broker.send(message)
            sent.append(message)
    except BROKEN:
        with transaction() as session:
            delivery.give_back(session, messages[len(sent) :])
        raise
    finally:
        with transaction() as session:
            intents.note_dispatched(
                session, [message.intent_id for message in sent if message.intent_id]
            )
