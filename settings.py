"""Every setting of Runyard, read once from the environment.

A setting is named ``RUNYARD_<FIELD>``; the two that other tools know too, ``DATABASE_URL`` and
``REDIS_URL``, go by their usual names. ``python settings.py`` prints the list with its defaults.
"""

import os
import socket
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, get_args, get_type_hints

import msgspec
from msgspec import Meta

NAMED_AS_USUAL = ("database_url", "redis_url")
SHORTEST_SECRET = 32
PLACEHOLDERS = ("changeme", "change-me", "secret", "password", "example", "placeholder")
HERE = Path(__file__).resolve().parent


class SettingsRefused(Exception):
    """A setting is missing or makes no sense; the message names it and says what to do."""


class Profile(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation decides; all else is code."""

    database_url: Annotated[str, Meta(description="PostgreSQL 15 or newer, postgresql://…")]
    redis_url: Annotated[str, Meta(description="Redis 7 or Valkey 8 and newer, redis://…")]
    secret_key: Annotated[
        str, Meta(description="signs access tokens and cursors; at least 32 characters")
    ]
    profile: Annotated[
        Profile, Meta(description="production refuses weak secrets and plain defaults")
    ] = Profile.DEVELOPMENT
    data_dir: Annotated[
        str, Meta(description="where this host keeps what is not in PostgreSQL")
    ] = str(HERE / ".runyard")
    runs_dir: Annotated[
        str, Meta(description="workspaces and runtimes of runs; must be traversable by any user")
    ] = ""
    artifacts_dir: Annotated[str, Meta(description="artifacts, sources and exports")] = ""
    public_url: Annotated[
        str, Meta(description="where clients reach the API; also given to training scripts")
    ] = "http://127.0.0.1:8000"
    live_url: Annotated[str, Meta(description="where clients reach the live socket")] = (
        "ws://127.0.0.1:8001"
    )
    allowed_origins: Annotated[
        str, Meta(description="browser origins that may call, separated by commas")
    ] = ""
    host: Annotated[str, Meta(description="the name of this machine, one per launcher")] = (
        socket.gethostname()
    )
    slots: Annotated[Count, Meta(description="runs that may train on this host at once")] = 4
    runtime_python: Annotated[
        str, Meta(description="interpreter of run environments; found by itself when empty")
    ] = ""
    access_token_seconds: Annotated[Seconds, Meta(description="life of an access token")] = 600
    refresh_idle_seconds: Annotated[
        Seconds, Meta(description="a session ends when unused this long")
    ] = 7 * 86400
    session_seconds: Annotated[Seconds, Meta(description="longest life of a session")] = 30 * 86400
    lease_seconds: Annotated[
        Seconds, Meta(description="an attempt silent for this long is lost; it beats at a third")
    ] = 30
    partition_seconds: Annotated[
        Seconds, Meta(description="a runner cut off for this long ends its training")
    ] = 900
    stop_grace_seconds: Annotated[
        Seconds, Meta(description="between asking a run to stop and killing it, by default")
    ] = 30
    resend_seconds: Annotated[
        Seconds, Meta(description="a message nobody claimed is sent again after this, then doubled")
    ] = 5
    upload_bytes: Annotated[Count, Meta(description="largest source archive")] = 200 * 2**20
    artifact_bytes: Annotated[Count, Meta(description="largest single artifact")] = 5 * 2**30
    log_bytes: Annotated[Count, Meta(description="log kept of one run; the rest is counted")] = (
        16 * 2**20
    )

    @property
    def runs_path(self) -> Path:
        return Path(self.runs_dir or Path(self.data_dir) / "runs")

    @property
    def artifacts_path(self) -> Path:
        return Path(self.artifacts_dir or Path(self.data_dir) / "artifacts")

    @property
    def launcher_socket(self) -> Path:
        return Path(self.data_dir) / "launcher.sock"

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in self.allowed_origins.split(",") if origin.strip())


def variable(field: str) -> str:
    """The environment variable that sets a field."""
    return field.upper() if field in NAMED_AS_USUAL else f"RUNYARD_{field.upper()}"


def read(environment: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    :raises SettingsRefused: naming the variable at fault.
    """
    given = {
        field: environment[variable(field)]
        for field in Settings.__struct_fields__
        if environment.get(variable(field))
    }
    for field in ("database_url", "redis_url", "secret_key"):
        if field not in given:
            raise SettingsRefused(f"{variable(field)} is not set; `make run` sets it for you")
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as problem:
        reason, _, path = str(problem).partition(" - at `$.")
        name = variable(path.rstrip("`")) if path else "a setting"
        raise SettingsRefused(f"{name} is not valid: {reason}") from None
    _refuse_nonsense(settings)
    return settings


def _refuse_nonsense(settings: Settings) -> None:
    if not settings.database_url.startswith(
        ("postgresql://", "postgres://", "postgresql+psycopg://")
    ):
        raise SettingsRefused("DATABASE_URL must begin with postgresql://")
    if not settings.redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsRefused("REDIS_URL must begin with redis://, rediss:// or unix://")
    if len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsRefused(
            f"RUNYARD_SECRET_KEY is shorter than {SHORTEST_SECRET} characters; "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    if settings.profile is Profile.PRODUCTION:
        _refuse_weak(settings)


def _refuse_weak(settings: Settings) -> None:
    lowered = settings.secret_key.lower()
    if len(set(lowered)) < 8 or any(word in lowered for word in PLACEHOLDERS):
        raise SettingsRefused("RUNYARD_SECRET_KEY looks like a placeholder; set a random one")
    if "*" in settings.origins:
        raise SettingsRefused(
            "RUNYARD_ALLOWED_ORIGINS may not be * in production; list the origins"
        )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return read(os.environ)


def _print_all() -> None:
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        metas = [meta for meta in get_args(hints[field.name]) if isinstance(meta, Meta)]
        described = [meta.description for meta in metas if meta.description]
        default = "required" if field.required else repr(field.default)
        print(f"{variable(field.name):34} {described[-1]} ({default})")


if __name__ == "__main__":
    _print_all()
