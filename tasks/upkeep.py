"""Keeping the house: what is old and over goes."""

from adapters.workspaces import remove_old_workspaces
from domain.jobs import Job
from domain.upkeep.commands import prune
from models.session import transaction
from settings import settings
from tasks.base import Work, job


@job(Job.UPKEEP_PRUNE)
def prune_rows(work: Work) -> None:
    with transaction() as session:
        prune(session)
        work.finish(session)


@job(Job.UPKEEP_WORKSPACES)
def clean_workspaces(work: Work) -> None:
    remove_old_workspaces(settings().runs_path)
    with transaction() as session:
        work.finish(session)
