"""What can be listened to, and which permission that needs."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.errors import NotFound
from domain.projects.queries import find_project
from domain.runs.queries import find_run


class NoSuchTopic(NotFound):
    """The name is not that of a topic."""

    code = "no_such_topic"


class Kind(StrEnum):
    """Sorts of topics: the first two are durable news, the others are tails of a run."""

    PROJECT = "project"
    RUN = "run"
    LOG = "log"
    METRICS = "metrics"
    PROGRESS = "progress"


NEEDS = {
    Kind.PROJECT: Permission.EVENT_READ,
    Kind.RUN: Permission.EVENT_READ,
    Kind.LOG: Permission.LOG_READ,
    Kind.METRICS: Permission.METRIC_READ,
    Kind.PROGRESS: Permission.RUN_READ,
}
SNAPSHOTS = {
    Kind.PROJECT: "/api/v1/projects/{}",
    Kind.RUN: "/api/v1/runs/{}",
    Kind.LOG: "/api/v1/runs/{}/log",
    Kind.METRICS: "/api/v1/runs/{}/metrics",
    Kind.PROGRESS: "/api/v1/runs/{}",
}
TAILS = (Kind.LOG, Kind.METRICS, Kind.PROGRESS)


@dataclass(frozen=True, slots=True)
class Topic:
    """One of them; ``id`` is that of the run or the project."""

    name: str
    kind: Kind
    id: UUID

    @property
    def needs(self) -> Permission:
        return NEEDS[self.kind]

    @property
    def snapshot_url(self) -> str:
        """Where the state is to be read when its news can't be told one by one."""
        return SNAPSHOTS[self.kind].format(self.id)


def parse(name: str) -> Topic:
    """The topic of a name, which has one spelling only. :raises NoSuchTopic:"""
    subject, _, tail = name.partition("/")
    noun, _, identity = subject.partition(":")
    try:
        topic = Topic(name, _kind(noun, tail), UUID(identity))
    except (ValueError, KeyError):
        raise NoSuchTopic(f"there is no topic {name[:80]!r}") from None
    if str(topic.id) != identity:
        raise NoSuchTopic(f"write the id as {topic.id}")
    return topic


def project_of(session: Session, actor: Actor, topic: Topic) -> UUID:
    """The project whose roles decide about the topic.

    :raises NotFound: there is no such run or project for the actor.
    :raises Forbidden: the actor sees it but may not listen.
    """
    if topic.kind is Kind.PROJECT:
        project = find_project(session, actor, topic.id)
        authorize(actor, topic.needs, project)
        return project.id
    run = find_run(session, actor, topic.id)
    authorize(actor, topic.needs, run)
    return run.project_id


def _kind(noun: str, tail: str) -> Kind:
    if noun == "run" and tail:
        return {kind.value: kind for kind in TAILS}[tail]
    return {"run": Kind.RUN, "project": Kind.PROJECT}[noun if not tail else ""]
