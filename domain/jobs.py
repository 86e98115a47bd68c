"""Every kind of background work by its broker name, and the queue it waits in."""

from enum import StrEnum


class Queue(StrEnum):
    """Celery's queues; one class of work each, so that long work never delays a stop."""

    CONTROL = "control"
    RUNS = "runs"
    EXPORTS = "exports"
    UPKEEP = "upkeep"


class Job(StrEnum):
    RUN_START = "runs.start"
    RUN_STOP = "runs.stop"
    RUN_CLONE = "runs.clone"
    RUN_EXPORT = "runs.export"
    UPKEEP_PRUNE = "upkeep.prune"
    UPKEEP_WORKSPACES = "upkeep.workspaces"

    @property
    def queue(self) -> Queue:
        return QUEUES[self]


QUEUES = {
    Job.RUN_START: Queue.RUNS,
    Job.RUN_STOP: Queue.CONTROL,
    Job.RUN_CLONE: Queue.CONTROL,
    Job.RUN_EXPORT: Queue.EXPORTS,
    Job.UPKEEP_PRUNE: Queue.UPKEEP,
    Job.UPKEEP_WORKSPACES: Queue.UPKEEP,
}
