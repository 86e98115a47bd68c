"""Finds and kills what a runner that was killed outright has left on this host."""

import logging

from adapters.processes import Process, kill_all, processes
from adapters.workspaces import RUN_UIDS
from workers.runner.marks import read_marks

log = logging.getLogger(__name__)


def sweep(installation: str) -> list[Process]:
    """Kill every process of this installation whose runner is gone, and return them."""
    orphans = find_orphans(installation)
    if orphans:
        kill_all(lambda: find_orphans(installation))
        log.warning("killed %d processes whose runner is gone", len(orphans))
    return orphans


def find_orphans(installation: str) -> list[Process]:
    """The orphans, and what shares the user with one: that user was made for one attempt."""
    everything = list(processes())
    orphans = [process for process in everything if _is_orphan(process, installation)]
    if not orphans:
        return []
    # Two attempts may have been given the same user; one of them may be alive.
    in_use = {process.uid for process in everything if _is_carried(process, installation)}
    uids = {process.uid for process in orphans} & set(RUN_UIDS) - in_use
    return [process for process in everything if process in orphans or process.uid in uids]


def _is_carried(process: Process, installation: str) -> bool:
    marks = read_marks(process.variables())
    return marks is not None and marks.installation == installation and not marks.runner_is_gone


def _is_orphan(process: Process, installation: str) -> bool:
    marks = read_marks(process.variables())
    return marks is not None and marks.installation == installation and marks.runner_is_gone
