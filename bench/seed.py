"""``python -m bench.seed``: one project with very many runs, written straight to the database."""

import argparse
import time
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bench.target import enter_stack
from domain.accounts.setup import first_admin
from models.experiments import Experiment
from models.metrics import MetricKey
from models.projects import Membership, Project, ProjectRole
from models.session import transaction

NAME = "Bench: many runs"
RUNS = 10_000
EXPERIMENTS = 20
STEPS = 10
KEYS = ("accuracy", "loss", "val_accuracy", "val_loss")
# Ids are taken from the clock, as everywhere: that keeps new rows at the end of every index.
WRITE_RUNS = text("""
insert into runs (id, project_id, experiment_id, created_by_id, name, description, origin, spec,
    params, tags, queue, state, desire, attempt_count, started_at, ended_at, created_at)
select (lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(n::text), 1, 3) || '8' || substr(md5('b' || n), 1, 15))::uuid,
    :project, (cast(:experiments as uuid[]))[1 + n % cardinality(cast(:experiments as uuid[]))],
    :person, 'lr ' || round((random() * 0.3)::numeric, 4) || ' #' || n, '', 'managed',
    jsonb_build_object('script', jsonb_build_object('text', 'pass', 'name', 'main.py'),
        'command', '[]'::jsonb, 'parameters', jsonb_build_object('lr', 0.1)),
    jsonb_build_object('lr', round((random() * 0.3)::numeric, 4)::text, 'epochs', '10',
        'batch_size', (16 << (n % 5))::text,
        'optimizer', (array['sgd', 'adam', 'lion'])[1 + n % 3]),
    jsonb_build_object('team', (array['vision', 'speech'])[1 + n % 2]),
    'default', (array['succeeded', 'succeeded', 'succeeded', 'failed', 'stopped'])[1 + n % 5],
    'run', 1, made, made + interval '5 minutes', made
from (select n, clock_timestamp() - (cast(:runs as int) - n) * interval '1 minute' as made
    from generate_series(1, cast(:runs as int)) n) numbered
""")
WRITE_POINTS = text("""
insert into metric_points (run_number, key_id, step, logged_ms, value)
select runs.number, key.id, step, 1700000000000 + step * 1000, random() / step
from runs, metric_keys key, generate_series(1, cast(:steps as int)) step
where runs.project_id = :project and key.name = any(:keys)
""")
WRITE_LATEST = text("""
insert into latest_metrics (run_number, key_id, experiment_id, step, logged_ms, value)
select point.run_number, point.key_id, runs.experiment_id, point.step, point.logged_ms, point.value
from metric_points point join runs on runs.number = point.run_number
where runs.project_id = :project and point.step = :steps
""")
WRITE_TRANSITIONS = text("""
insert into run_transitions (run_id, before, after, reason, at)
select id, 'running', state, '', ended_at from runs where project_id = :project
""")
FRESH_STATISTICS = ("runs", "metric_points", "latest_metrics", "run_transitions")
REMOVE = (
    "delete from run_transitions using runs where run_id = runs.id and project_id = :project",
    "delete from exports where project_id = :project",
    "delete from attempts using runs where run_id = runs.id and project_id = :project",
    "delete from outbox_messages using intents where intent_id = intents.id"
    " and project_id = :project",
    "delete from intents where project_id = :project",
    "delete from runs where project_id = :project",
    "delete from experiments where project_id = :project",
    "delete from sources where project_id = :project",
    "delete from projects where id = :project",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--remove", action="store_true", help="take the project away again")
    given = parser.parse_args()
    enter_stack()
    began = time.monotonic()
    with transaction() as session:
        session.execute(text("set local statement_timeout = '10min'"))
        remove(session)
        if not given.remove:
            project = write(session, given.runs)
            print(f"project {project.id} {NAME!r}: {given.runs} runs", end=" ")
    print(f"done in {time.monotonic() - began:.1f} s")


def write(session: Session, runs: int) -> Project:
    """A project of this many runs that are over, spread over some experiments, with metrics."""
    person = first_admin(session)
    if person is None:
        raise SystemExit("nobody administers this installation yet; make an administrator first")
    project = Project(name=NAME, created_by_id=person.id)
    session.add(project)
    session.flush()
    session.add(Membership(project_id=project.id, user_id=person.id, role=ProjectRole.OWNER))
    experiments = [_experiment(session, project, n) for n in range(EXPERIMENTS)]
    _learn_keys(session)
    given = {
        "project": project.id,
        "person": person.id,
        "experiments": experiments,
        "runs": runs,
        "steps": STEPS,
        "keys": list(KEYS),
    }
    for statement in (WRITE_RUNS, WRITE_POINTS, WRITE_LATEST, WRITE_TRANSITIONS):
        session.execute(statement, given)
    for table in FRESH_STATISTICS:
        session.execute(text(f"analyze {table}"))
    return project


def remove(session: Session) -> None:
    """Take away every project that was written here, with all that has happened in it."""
    for project_id in session.scalars(select(Project.id).where(Project.name == NAME)).all():
        for statement in REMOVE:
            session.execute(text(statement), {"project": project_id})


def _experiment(session: Session, project: Project, number: int) -> UUID:
    experiment = Experiment(
        project_id=project.id, name=f"question {number}", created_by_id=project.created_by_id
    )
    session.add(experiment)
    session.flush()
    return experiment.id


def _learn_keys(session: Session) -> None:
    session.execute(insert(MetricKey).on_conflict_do_nothing(), [{"name": name} for name in KEYS])


if __name__ == "__main__":
    main()
