"""The log of a run: numbered lines, kept in chunks.

Numbers grow over all attempts of a run; one that is missing was dropped where the log had
reached its limit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.command import query
from domain.runs.queries import find_run
from models.logs import LogChunk

LINES_PER_CHUNK = 500
CHUNKS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: its number, the stream it came from, when (in milliseconds), and its text."""

    number: int
    stream: str
    logged_ms: int
    text: str


def append_lines(
    session: Session,
    run_id: UUID,
    attempt_number: int,
    first_line: int,
    lines: Sequence[Sequence[Any]],
) -> None:
    """Add lines ``[stream, milliseconds, text]`` that follow one another.

    Lines that are there already are left out, so a holder in doubt may append again.
    """
    known = last_line(session, run_id)
    fresh = lines[max(0, known + 1 - first_line) :]
    first = max(first_line, known + 1)
    for start in range(0, len(fresh), LINES_PER_CHUNK):
        part = [list(line) for line in fresh[start : start + LINES_PER_CHUNK]]
        session.add(
            LogChunk(
                run_id=run_id,
                first_line=first + start,
                last_line=first + start + len(part) - 1,
                attempt_number=attempt_number,
                lines=part,
            )
        )


def last_line(session: Session, run_id: UUID) -> int:
    """The number of the last line; 0 while there is none."""
    return last_lines(session, [run_id])[run_id]


def last_lines(session: Session, run_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The number of the last line of each run."""
    asked = list(run_ids)
    run = select(func.unnest(asked).label("id")).subquery()
    last = (
        select(LogChunk.last_line)
        .where(LogChunk.run_id == run.c.id)
        .order_by(LogChunk.first_line.desc())
        .limit(1)
        .scalar_subquery()
    )
    return {run_id: number or 0 for run_id, number in session.execute(select(run.c.id, last))}


@query(requires=Permission.LOG_READ)
def read_log(
    session: Session, actor: Actor, run_id: UUID, *, after: int, limit: int
) -> list[LogLine]:
    """Lines with numbers above ``after``. :raises NotFound: no such run for the actor."""
    run = find_run(session, actor, run_id)
    authorize(actor, Permission.LOG_READ, run)
    return lines_after(session, run.id, after, limit)


def lines_after(session: Session, run_id: UUID, after: int, limit: int) -> list[LogLine]:
    """Lines with numbers above ``after``, for listeners who have been authorised before."""
    found: list[LogLine] = []
    with session.scalars(_chunks(run_id, after)) as chunks:
        for chunk in chunks:
            skipped = max(0, after + 1 - chunk.first_line)
            numbered = enumerate(chunk.lines[skipped:], chunk.first_line + skipped)
            found.extend(LogLine(number, *line) for number, line in numbered)
            if len(found) >= limit:
                break
    return found[:limit]


def _chunks(run_id: UUID, after: int) -> Any:
    """From the chunk that may hold the next line on, fetched a few at a time."""
    holding = (
        select(func.max(LogChunk.first_line))
        .where(LogChunk.run_id == run_id, LogChunk.first_line <= after + 1)
        .scalar_subquery()
    )
    return (
        select(LogChunk)
        .where(LogChunk.run_id == run_id, LogChunk.first_line >= func.coalesce(holding, 0))
        .order_by(LogChunk.first_line)
        .execution_options(yield_per=CHUNKS_AT_ONCE)
    )
