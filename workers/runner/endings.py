"""What an exit, or none, means for the attempt."""

from domain.errors import DomainError
from domain.runs.attempts import Ending, timed_out
from models.runs import FailureClass, Outcome
from workers.runner.exits import CannotStart, Exit, Failure

CLASSES = {
    Failure.COMMAND_NOT_FOUND: FailureClass.COMMAND_NOT_FOUND,
    Failure.NOT_EXECUTABLE: FailureClass.COMMAND_NOT_FOUND,
    Failure.EXIT_CODE: FailureClass.USER_ERROR,
    Failure.KILLED: FailureClass.SIGNAL,
    Failure.OUT_OF_MEMORY: FailureClass.OUT_OF_MEMORY,
}


def ending_of(ended: Exit, *, is_late: bool) -> Ending:
    """The end of a command; one that ran into its time limit has failed, however it ended."""
    failure = CLASSES[ended.failure] if ended.failure else None
    outcome = Outcome.SUCCEEDED if ended.succeeded else Outcome.FAILED
    detail = None if ended.succeeded else ended.detail
    ending = Ending(outcome, ended.code, ended.signal, failure, detail)
    return timed_out(ending) if is_late else ending


def not_started(problem: CannotStart) -> Ending:
    return Ending(Outcome.FAILED, failure_class=CLASSES[problem.failure], detail=problem.detail)


def not_prepared(failure_class: FailureClass, problem: DomainError) -> Ending:
    return Ending(Outcome.FAILED, failure_class=failure_class, detail=problem.detail)
