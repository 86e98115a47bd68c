"""From a run's spec to a command that can be started."""

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson

from adapters.archives import unpack
from adapters.interpreters import find_python
from adapters.runtimes import DEFAULT_REQUIREMENTS, Runtime, RuntimeBuilder
from adapters.workspaces import (
    Workspace,
    choose_runs_root,
    choose_uid,
    hand_over,
    prepare_workspace,
)
from domain.errors import Invalid
from domain.ports import ArtifactStore
from domain.runs.spec import RunSpec
from settings import settings
from workers.runner.child import Command
from workers.runner.marks import installation_of, marks_of_this_runner

PARAMETERS_FILE = "parameters.json"


class SourceIncomplete(Invalid):
    code = "source_incomplete"


@dataclass(frozen=True)
class Assignment:
    """What an attempt is to carry out."""

    run_id: UUID
    attempt_id: UUID
    number: int
    token: str
    spec: RunSpec
    archive: str | None


def make_workspace(work: Assignment) -> Workspace:
    """A fresh folder for the attempt, owned by a user of its own where we may do that."""
    root = choose_runs_root(settings().runs_path)
    uid = choose_uid(zlib.crc32(work.attempt_id.bytes))
    if not find_python(uid, settings().runtime_python or None).is_isolated:
        uid = None
    return prepare_workspace(root, work.run_id, work.attempt_id, uid)


def lay_out_source(work: Assignment, workspace: Workspace, artifacts: ArtifactStore) -> None:
    """Put the script or the archive's files, and the parameters, into the workspace."""
    if work.archive is not None:
        unpack(artifacts.local(work.archive), workspace.source)
    elif work.spec.script is not None:
        (workspace.source / work.spec.script.name).write_text(
            work.spec.script.text, encoding="utf-8"
        )
    parameters = workspace.path / PARAMETERS_FILE
    parameters.write_bytes(orjson.dumps(work.spec.parameters))
    hand_over(workspace.path, workspace.uid)


def build_runtime(
    work: Assignment,
    workspace: Workspace,
    *,
    tell: Callable[[str], None],
    is_wanted: Callable[[], bool],
) -> Runtime:
    """The environment the command runs in: cached, built when it is not there yet.

    :raises RuntimeFailed: it cannot be built. :raises RuntimeAbandoned: a stop came between.
    """
    python = find_python(workspace.uid, settings().runtime_python or None)
    builder = RuntimeBuilder(choose_runs_root(settings().runs_path) / "runtimes", python.path)
    return builder.ensure(_requirements(work, workspace), on_line=tell, is_wanted=is_wanted)


def command_of(work: Assignment, workspace: Workspace, runtime: Runtime) -> Command:
    """The command with its environment: nothing of ours but what the script needs."""
    binaries = runtime.path / "bin"
    environment = {
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(runtime.path),
        "HOME": str(workspace.home),
        # A user of its own has no name in the system; libraries ask here first.
        "USER": "runyard",
        "LOGNAME": "runyard",
        "TMPDIR": str(workspace.tmp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MLFLOW_TRACKING_URI": settings().public_url,
        "MLFLOW_TRACKING_TOKEN": work.token,
        "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "RUNYARD_RUN_ID": work.run_id.hex,
        "RUNYARD_ATTEMPT": str(work.number),
        "RUNYARD_PARAMETERS_FILE": str(workspace.path / PARAMETERS_FILE),
        "RUNYARD_CHECKPOINT_DIR": str(workspace.checkpoints),
        **marks_of_this_runner(work.attempt_id, installation_of(Path(settings().data_dir))),
    }
    return Command(
        _resolved(work.spec.argv, binaries), workspace.source, environment, workspace.uid
    )


def _resolved(argv: list[str], binaries: Path) -> list[str]:
    """The runtime's own programs come first: PATH of the child does not decide what we exec."""
    program = argv[0]
    own = binaries / program
    if os.sep not in program and own.exists():
        return [str(own), *argv[1:]]
    return argv


def _requirements(work: Assignment, workspace: Workspace) -> str:
    if work.spec.requirements is not None:
        return work.spec.requirements
    if work.spec.requirements_file is None:
        return DEFAULT_REQUIREMENTS
    named = (workspace.source / work.spec.requirements_file).resolve()
    if not named.is_relative_to(workspace.source.resolve()) or not named.is_file():
        raise SourceIncomplete(f"the source holds no file {work.spec.requirements_file}")
    return named.read_text(encoding="utf-8", errors="replace")


def isolation_of(workspace: Workspace) -> str:
    """How far the attempt is kept apart from others on this host, in one word."""
    return "own-user" if workspace.uid is not None else "none"
