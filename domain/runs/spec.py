"""What is to be executed: checked once, when it is given."""

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.errors import Invalid

PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
LONGEST_SCRIPT = 1_000_000
LONGEST_ARGUMENT = 32_768
MOST_ARGUMENTS = 256
MOST_PARAMETERS = 500

Scalar = str | int | float | bool


class SpecRefused(Invalid):
    """The spec makes no sense; the pointer names the field."""

    code = "spec_refused"


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A single Python file given inline."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_SCRIPT)]
    name: str = "main.py"


class RunSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Source, command, parameters, runtime and limits of a run.

    ``parameters`` reach the process as ``--name value`` after the command and as the JSON
    file named by ``RUNYARD_PARAMETERS_FILE``. ``requirements`` is the text of a requirements
    file, ``requirements_file`` its path inside the source; neither means the default runtime.
    """

    script: Script | None = None
    source_id: UUID | None = None
    command: list[str] = []
    parameters: dict[str, Scalar] = {}
    requirements: Annotated[str, Meta(max_length=100_000)] | None = None
    requirements_file: Annotated[str, Meta(max_length=500)] | None = None
    time_limit_seconds: Annotated[int, Meta(ge=1, le=90 * 86400)] | None = None
    stop_grace_seconds: Annotated[float, Meta(ge=0, le=3600)] | None = None
    total_steps: Annotated[int, Meta(ge=1)] | None = None

    @property
    def argv(self) -> list[str]:
        """The command line, parameters included."""
        command = self.command or (["python", self.script.name] if self.script else [])
        given = [part for name, value in self.parameters.items() for part in _option(name, value)]
        return [*command, *given]


class SpecChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a clone does differently: fields that are given replace those of the original,
    parameters one by one (null takes one away)."""

    script: Script | UnsetType | None = UNSET
    source_id: UUID | UnsetType | None = UNSET
    command: list[str] | UnsetType = UNSET
    parameters: dict[str, Scalar | None] | UnsetType = UNSET
    requirements: str | UnsetType | None = UNSET
    requirements_file: str | UnsetType | None = UNSET
    time_limit_seconds: int | UnsetType | None = UNSET
    stop_grace_seconds: float | UnsetType | None = UNSET
    total_steps: int | UnsetType | None = UNSET


def read_spec(given: Any) -> RunSpec:
    """Check a spec as a client gave it.

    :raises SpecRefused: with the pointer of the field at fault.
    """
    spec: RunSpec = _convert(given, RunSpec)
    _refuse_nonsense(spec)
    return spec


def read_change(given: Any) -> SpecChange:
    """Check the changes for a clone. :raises SpecRefused: naming the field."""
    change: SpecChange = _convert(given, SpecChange)
    return change


def stored(spec: RunSpec) -> dict[str, Any]:
    """The spec as kept in the database and shown to clients."""
    plain: dict[str, Any] = msgspec.to_builtins(spec)
    return plain


def changed(spec: RunSpec, change: SpecChange) -> RunSpec:
    """The spec with a change applied. :raises SpecRefused: the outcome makes no sense."""
    fields = stored(spec) | {
        name: value for name, value in msgspec.to_builtins(change).items() if name != "parameters"
    }
    if change.parameters is not UNSET:
        merged = spec.parameters | change.parameters
        fields["parameters"] = {name: value for name, value in merged.items() if value is not None}
    return read_spec(fields)


def difference(before: RunSpec, after: RunSpec) -> list[dict[str, Any]]:
    """What differs, one entry per field or parameter: ``{path, before, after}``."""
    old, new = _flat(before), _flat(after)
    return [
        {"path": path, "before": old.get(path), "after": new.get(path)}
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _flat(spec: RunSpec) -> dict[str, Any]:
    fields = stored(spec)
    parameters = fields.pop("parameters")
    flat = {f"/{name}": value for name, value in fields.items()}
    return flat | {f"/parameters/{name}": value for name, value in parameters.items()}


def _option(name: str, value: Scalar) -> list[str]:
    return [f"--{name}", str(value).lower() if isinstance(value, bool) else str(value)]


def _convert(given: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as problem:
        reason, _, path = str(problem).partition(" - at `$")
        path = path.rstrip("`").replace("[...]", "").replace("]", "")
        pointer = "/spec" + re.sub(r"[.\[]", "/", path)
        raise SpecRefused(reason, pointer=pointer) from None


def _refuse_nonsense(spec: RunSpec) -> None:
    if (spec.script is None) == (spec.source_id is None):
        raise SpecRefused("give either a script or a source_id", pointer="/spec/script")
    if spec.script and (not SCRIPT_NAME.fullmatch(spec.script.name) or ".." in spec.script.name):
        raise SpecRefused("a script's name is a plain file name", pointer="/spec/script/name")
    if spec.source_id and not spec.command:
        raise SpecRefused(
            'a source needs a command, such as ["python", "train.py"]', pointer="/spec/command"
        )
    if spec.requirements and spec.requirements_file:
        raise SpecRefused(
            "give requirements or requirements_file, not both", pointer="/spec/requirements_file"
        )
    if spec.requirements_file and not spec.source_id:
        raise SpecRefused(
            "requirements_file names a file inside a source", pointer="/spec/requirements_file"
        )
    _refuse_odd_arguments(spec)


def _refuse_odd_arguments(spec: RunSpec) -> None:
    if len(spec.command) > MOST_ARGUMENTS:
        raise SpecRefused(f"at most {MOST_ARGUMENTS} arguments", pointer="/spec/command")
    if spec.command and not spec.command[0]:
        raise SpecRefused("the first part of a command is a program", pointer="/spec/command/0")
    for place, part in enumerate(spec.command):
        if "\0" in part or len(part) > LONGEST_ARGUMENT:
            raise SpecRefused(
                "an argument is too long or holds a NUL character", pointer=f"/spec/command/{place}"
            )
    if len(spec.parameters) > MOST_PARAMETERS:
        raise SpecRefused(f"at most {MOST_PARAMETERS} parameters", pointer="/spec/parameters")
    for name, value in spec.parameters.items():
        if not PARAMETER_NAME.fullmatch(name):
            raise SpecRefused(
                "a parameter's name begins with a letter and holds letters, digits, _ . and -",
                pointer=f"/spec/parameters/{name}",
            )
        if isinstance(value, str) and ("\0" in value or len(value) > LONGEST_ARGUMENT):
            raise SpecRefused(
                "a value is too long or holds a NUL character", pointer=f"/spec/parameters/{name}"
            )
