"""Keeping the house: what is old and over goes."""

from adapters.workspaces import choose_runs_root, old_workspaces, remove_workspace
from domain.jobs import Job
from domain.runs.attempts import live_workspaces
from domain.upkeep.commands import prune
from models.session import transaction
from settings import settings
from tasks.base import Work, job
from tasks.scratch import remove_abandoned

KEEP_WORKSPACES_SECONDS = 3600.0


@job(Job.UPKEEP_PRUNE)
def prune_rows(work: Work) -> None:
    with transaction() as session:
        prune(session)
        work.finish(session)


@job(Job.UPKEEP_WORKSPACES)
def clean_workspaces(work: Work) -> None:
    root = choose_runs_root(settings().runs_path)
    with transaction() as session:
        in_use = live_workspaces(session, settings().host)
    for workspace in old_workspaces(root, seconds=KEEP_WORKSPACES_SECONDS):
        if str(workspace) not in in_use:
            remove_workspace(root, workspace)
    remove_abandoned()
    with transaction() as session:
        work.finish(session)
