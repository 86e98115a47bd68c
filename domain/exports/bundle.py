"""A run as one portable file: a zip whose manifest names every member with its digest.

::

    manifest.json        format, what was exported, and path, size and sha256 of each member
    run.json             the run, its attempts and transitions
    spec.json            what was executed
    params.json          what the script logged as its parameters
    metrics.ndjson       one point a line: key, step, milliseconds, value
    log.ndjson           one line of log a line: number, stream, milliseconds, text
    source/…             the archive with the code, if the run had one
    artifacts/…          the files it logged

Numbers that JSON has no word for (NaN and the infinities) are written as text.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.clock import now
from domain.ports import ArtifactStore
from domain.runs.artifacts import folder_of
from domain.runs.numbers import number_out
from domain.runs.sources import stored_at
from models.logs import LogChunk
from models.metrics import MetricKey, MetricPoint
from models.runs import Attempt, Run, RunTransition, Source

FORMAT = "runyard-bundle/1"
AT_A_TIME = 5_000
Tell = Callable[[int, str], None]
RUN_FIELDS = (
    "id",
    "name",
    "description",
    "origin",
    "state",
    "stop_reason",
    "failure_class",
    "failure_detail",
    "exit_code",
    "tags",
    "cloned_from_id",
    "parent_id",
    "created_at",
    "started_at",
    "ended_at",
)
ATTEMPT_FIELDS = (
    "number",
    "outcome",
    "exit_code",
    "exit_signal",
    "failure_class",
    "detail",
    "runtime",
    "created_at",
    "process_started_at",
    "ended_at",
)
TRANSITION_FIELDS = ("before", "after", "reason", "at")


class BundleWriter:
    """Writes members and keeps their digests for the manifest."""

    def __init__(self, bundle: zipfile.ZipFile) -> None:
        self._bundle = bundle
        self.members: list[dict[str, Any]] = []

    @contextmanager
    def member(self, path: str) -> Iterator["_Hashed"]:
        """A member to be written to."""
        with self._bundle.open(path, "w", force_zip64=True) as file:
            hashed = _Hashed(file)
            yield hashed
        self.members.append(
            {"path": path, "size": hashed.size, "sha256": hashed.digest.hexdigest()}
        )

    def write(self, path: str, content: Any) -> None:
        with self.member(path) as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))

    def write_lines(self, path: str, rows: Iterable[Any]) -> None:
        with self.member(path) as file:
            for row in rows:
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


class _Hashed:
    """A file that knows its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)


def write_bundle(
    session: Session, artifacts: ArtifactStore, run: Run, target: Path, tell: Tell
) -> None:
    """Write a run's bundle to a file, telling the percent of 100 on the way."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as bundle:
        writer = BundleWriter(bundle)
        writer.write("run.json", _describe(session, run))
        writer.write("spec.json", run.spec)
        writer.write("params.json", run.params)
        tell(20, "writing metrics")
        writer.write_lines("metrics.ndjson", _points(session, run))
        tell(40, "writing the log")
        writer.write_lines("log.ndjson", _log_lines(session, run))
        tell(60, "writing artifacts")
        _write_source(session, artifacts, run, writer)
        for file in artifacts.walk(folder_of(run)):
            below = file.path.removeprefix(f"{folder_of(run)}/")
            _copy(artifacts, file.path, writer, f"artifacts/{below}")
        tell(90, "closing the bundle")
        manifest = {
            "format": FORMAT,
            "exported_at": now(),
            "kind": "run",
            "run_id": run.id,
            "members": list(writer.members),
        }
        writer.write("manifest.json", manifest)


def _describe(session: Session, run: Run) -> dict[str, Any]:
    attempts = session.scalars(
        select(Attempt).where(Attempt.run_id == run.id).order_by(Attempt.number)
    )
    transitions = session.scalars(
        select(RunTransition).where(RunTransition.run_id == run.id).order_by(RunTransition.id)
    )
    return {
        **_fields(run, RUN_FIELDS),
        "attempts": [_fields(attempt, ATTEMPT_FIELDS) for attempt in attempts],
        "transitions": [_fields(transition, TRANSITION_FIELDS) for transition in transitions],
    }


def _fields(entity: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in names}


def _points(session: Session, run: Run) -> Iterator[dict[str, Any]]:
    points = session.execute(
        select(MetricKey.name, MetricPoint.step, MetricPoint.logged_ms, MetricPoint.value)
        .join(MetricKey, MetricKey.id == MetricPoint.key_id)
        .where(MetricPoint.run_number == run.number)
        .order_by(MetricPoint.key_id, MetricPoint.step, MetricPoint.logged_ms)
        .execution_options(yield_per=AT_A_TIME)
    )
    for key, step, logged_ms, value in points:
        yield {"key": key, "step": step, "ms": logged_ms, "value": number_out(value)}


def _log_lines(session: Session, run: Run) -> Iterator[dict[str, Any]]:
    chunks = session.execute(
        select(LogChunk.first_line, LogChunk.lines)
        .where(LogChunk.run_id == run.id)
        .order_by(LogChunk.first_line)
        .execution_options(yield_per=100)
    )
    for first, lines in chunks:
        for number, (stream, ms, text) in enumerate(lines, start=first):
            yield {"number": number, "stream": stream, "ms": ms, "text": text}


def _write_source(
    session: Session, artifacts: ArtifactStore, run: Run, writer: BundleWriter
) -> None:
    source = session.get(Source, run.source_id) if run.source_id else None
    if source is not None:
        _copy(artifacts, stored_at(source), writer, f"source/code.{source.kind}")


def _copy(artifacts: ArtifactStore, path: str, writer: BundleWriter, member: str) -> None:
    with artifacts.open(path) as content, writer.member(member) as file:
        shutil.copyfileobj(content, file, 1 << 20)
