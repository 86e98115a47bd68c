"""Things for a live process to tell."""

from uuid import UUID

from adapters.redis_bus import RedisBus
from domain.news import announce
from domain.runs.logs import append_lines, last_line
from models.session import transaction


def announce_steps(topic: str, count: int, first: int = 1) -> None:
    """Durable news in PostgreSQL, one commit each."""
    for step in range(first, first + count):
        with transaction() as session:
            announce(session, [topic], "step", step=step)


def tell_steps(bus: RedisBus, topic: str, count: int, first: int = 1) -> None:
    """The same, copied to the stream."""
    announce_steps(topic, count, first)
    copy_news(bus)


def copy_news(bus: RedisBus) -> None:
    """What the dispatcher does."""
    from workers.dispatcher.pump import stream_news

    while stream_news(bus):
        pass


def write_lines(run_id: UUID, *texts: str) -> tuple[int, list[list[object]]]:
    """Lines in PostgreSQL; returns the number of the first, and the lines."""
    lines: list[list[object]] = [["stdout", 1_000, text] for text in texts]
    with transaction() as session:
        first = last_line(session, run_id) + 1
        append_lines(session, run_id, 1, first, lines)
    return first, lines


def print_lines(bus: RedisBus, run_id: UUID, *texts: str) -> None:
    """The same, and told to listeners."""
    first, lines = write_lines(run_id, *texts)
    bus.tail(f"run:{run_id}/log", first, first + len(lines) - 1, lines)
