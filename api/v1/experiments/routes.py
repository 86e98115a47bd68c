"""Experiments."""

from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.etag import ETAG, check_version, etag_of
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.experiments.schemas import (
    ExperimentArguments,
    ExperimentChangeSchema,
    ExperimentSchema,
    NewExperimentSchema,
)
from api.v1.fields import VersionHeader
from domain.experiments import commands, queries
from domain.paging import Page
from domain.projects.queries import find_project
from models.experiments import Experiment
from models.session import transaction

Answer = tuple[Experiment, int, dict[str, str]]
blp = Blueprint("experiments", __name__, url_prefix="/api/v1", description="Experiments")


@blp.route("/projects/<uuid:project_id>/experiments", methods=["GET"])
@blp.arguments(ExperimentArguments, location="query")
@blp.response(200, page_of(ExperimentSchema))
@blp.reads(queries.list_experiments)
def list_experiments(arguments: dict[str, Any], project_id: UUID) -> Page[Experiment]:
    """List a project's experiments

    Sort by `id`, `name`, `created_at` or `updated_at`; newest first by default.
    """
    with transaction() as session:
        find_project(session, current_actor(), project_id)
        return queries.list_experiments(
            session, current_actor(), page_request(arguments), project_id=project_id, **arguments
        )


@blp.route("/projects/<uuid:project_id>/experiments", methods=["POST"])
@blp.arguments(NewExperimentSchema)
@blp.response(201, ExperimentSchema, headers=ETAG)
@blp.performs(commands.create_experiment, 409)
def create_experiment(given: dict[str, Any], project_id: UUID) -> Answer:
    """Make an experiment"""
    with transaction() as session:
        project = find_project(session, current_actor(), project_id)
        experiment = commands.create_experiment(session, current_actor(), project, **given)
    return experiment, 201, etag_of(experiment)


@blp.route("/experiments/<uuid:experiment_id>", methods=["GET"])
@blp.response(200, ExperimentSchema, headers=ETAG)
@blp.reads(queries.find_experiment)
def read_experiment(experiment_id: UUID) -> Answer:
    """Read an experiment"""
    with transaction() as session:
        experiment = queries.find_experiment(session, current_actor(), experiment_id)
    return experiment, 200, etag_of(experiment)


@blp.route("/experiments/<uuid:experiment_id>", methods=["PATCH"])
@blp.arguments(VersionHeader, location="headers")
@blp.arguments(ExperimentChangeSchema)
@blp.response(200, ExperimentSchema, headers=ETAG)
@blp.performs(commands.update_experiment, 409, 412, 428)
def update_experiment(_: dict[str, Any], given: dict[str, Any], experiment_id: UUID) -> Answer:
    """Change an experiment"""
    with transaction() as session:
        experiment = queries.find_experiment(session, current_actor(), experiment_id, lock=True)
        check_version(experiment)
        commands.update_experiment(session, current_actor(), experiment, **given)
    return experiment, 200, etag_of(experiment)


@blp.route("/experiments/<uuid:experiment_id>", methods=["DELETE"])
@blp.arguments(VersionHeader, location="headers")
@blp.response(204)
@blp.performs(commands.delete_experiment, 409, 412)
def delete_experiment(_: dict[str, Any], experiment_id: UUID) -> None:
    """Take an experiment and its runs out of sight

    Refused while runs of it are active.
    """
    with transaction() as session:
        experiment = queries.find_experiment(session, current_actor(), experiment_id, lock=True)
        check_version(experiment, required=False)
        commands.delete_experiment(session, current_actor(), experiment)
