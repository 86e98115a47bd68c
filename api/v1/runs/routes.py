"""Runs: writing them down, finding them, reading how they went."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.etag import ETAG, check_version, etag_of
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.fields import VersionHeader
from api.v1.runs.schemas import (
    AttemptsSchema,
    NewRunSchema,
    ProjectRunArguments,
    RunArguments,
    RunChangeSchema,
    RunSchema,
    RunSummarySchema,
    TransitionsSchema,
)
from domain.experiments.queries import find_experiment
from domain.paging import Page
from domain.projects.queries import find_project
from domain.runs import commands, queries
from models.runs import Attempt, Run, RunTransition
from models.session import transaction

Answer = tuple[Run, int, dict[str, str]]
blp = Blueprint("runs", __name__, url_prefix="/api/v1", description="Runs")


@blp.route("/projects/<uuid:project_id>/runs", methods=["GET"])
@blp.arguments(ProjectRunArguments, location="query")
@blp.response(200, page_of(RunSummarySchema))
@blp.reads(queries.list_runs)
def list_project_runs(arguments: dict[str, Any], project_id: UUID) -> Page[Run]:
    """List a project's runs

    Sort by `id`, `created_at`, `updated_at`, `name` or `state`; newest first by default.
    """
    with transaction() as session:
        find_project(session, current_actor(), project_id)
        return queries.list_runs(
            session, current_actor(), page_request(arguments), project_id=project_id, **arguments
        )


@blp.route("/experiments/<uuid:experiment_id>/runs", methods=["GET"])
@blp.arguments(RunArguments, location="query")
@blp.response(200, page_of(RunSummarySchema))
@blp.reads(queries.list_runs)
def list_experiment_runs(arguments: dict[str, Any], experiment_id: UUID) -> Page[Run]:
    """List an experiment's runs

    Sort by `id`, `created_at`, `updated_at`, `name` or `state`; newest first by default.
    """
    with transaction() as session:
        find_experiment(session, current_actor(), experiment_id)
        return queries.list_runs(
            session,
            current_actor(),
            page_request(arguments),
            experiment_id=experiment_id,
            **arguments,
        )


@blp.route("/experiments/<uuid:experiment_id>/runs", methods=["POST"])
@blp.arguments(NewRunSchema)
@blp.response(201, RunSchema, headers=ETAG)
@blp.performs(commands.create_run)
def create_run(given: dict[str, Any], experiment_id: UUID) -> Answer:
    """Write a run down as a draft

    Nothing is executed before it is started. Give either an inline `script` or the
    `source_id` of an uploaded archive with a `command`.
    """
    with transaction() as session:
        experiment = find_experiment(session, current_actor(), experiment_id)
        run = commands.create_run(session, current_actor(), experiment, **given)
    return run, 201, etag_of(run)


@blp.route("/runs/<uuid:run_id>", methods=["GET"])
@blp.response(200, RunSchema, headers=ETAG)
@blp.reads(queries.find_run)
def read_run(run_id: UUID) -> Answer:
    """Read a run"""
    with transaction() as session:
        run = queries.find_run(session, current_actor(), run_id)
    return run, 200, etag_of(run)


@blp.route("/runs/<uuid:run_id>", methods=["PATCH"])
@blp.arguments(VersionHeader, location="headers")
@blp.arguments(RunChangeSchema)
@blp.response(200, RunSchema, headers=ETAG)
@blp.performs(commands.update_run, 409, 412, 428)
def update_run(_: dict[str, Any], given: dict[str, Any], run_id: UUID) -> Answer:
    """Change a run"""
    with transaction() as session:
        run = queries.find_run(session, current_actor(), run_id, lock=True)
        check_version(run)
        commands.update_run(session, current_actor(), run, **given)
    return run, 200, etag_of(run)


@blp.route("/runs/<uuid:run_id>", methods=["DELETE"])
@blp.arguments(VersionHeader, location="headers")
@blp.response(204)
@blp.performs(commands.delete_run, 409, 412)
def delete_run(_: dict[str, Any], run_id: UUID) -> None:
    """Take a run out of sight

    Refused while it is active.
    """
    with transaction() as session:
        run = queries.find_run(session, current_actor(), run_id, lock=True)
        check_version(run, required=False)
        commands.delete_run(session, current_actor(), run)


@blp.route("/runs/<uuid:run_id>/attempts", methods=["GET"])
@blp.response(200, AttemptsSchema)
@blp.reads(queries.list_attempts)
def list_attempts(run_id: UUID) -> dict[str, Sequence[Attempt]]:
    """List the attempts of a run"""
    with transaction() as session:
        return {"items": queries.list_attempts(session, current_actor(), run_id)}


@blp.route("/runs/<uuid:run_id>/transitions", methods=["GET"])
@blp.response(200, TransitionsSchema)
@blp.reads(queries.list_transitions)
def list_transitions(run_id: UUID) -> dict[str, Sequence[RunTransition]]:
    """List every move of a run"""
    with transaction() as session:
        return {"items": queries.list_transitions(session, current_actor(), run_id)}
