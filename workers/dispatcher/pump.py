"""One round of the dispatcher's work, in short transactions."""

from sqlalchemy import func, select, tuple_, update

from domain.events.encoding import encode
from domain.intents import commands as intents
from domain.intents import delivery
from domain.ports import Bus
from domain.runs import attempts
from models.events import Event
from models.intents import SETTLED, Intent
from models.session import transaction
from workers.dispatcher.broker import Broker

BATCH = 100
NEWS_BATCH = 500


def dispatch(broker: Broker) -> int:
    """Hand due messages to the broker; a crash before the commit sends them again."""
    with transaction() as session:
        messages = delivery.take_due(session, BATCH)
        for message in messages:
            broker.send(message)
            delivery.note_sent(session, message)
        return len(messages)


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


def reap() -> int:
    """Take silent attempts for lost, and let intents expire whose deadline has passed."""
    with transaction() as session:
        silent = attempts.expired(session)
        for attempt in silent:
            attempts.lose(session, attempt)
    with transaction() as session:
        late = session.scalars(
            select(Intent)
            .where(Intent.state.not_in(SETTLED), Intent.deadline_at < func.clock_timestamp())
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for intent in late:
            intents.expire(session, intent)
    return len(silent) + len(late)
