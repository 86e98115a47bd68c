"""The native API: the list of its blueprints."""

from api.v1.accounts.routes import blp as accounts
from api.v1.api_keys.routes import blp as api_keys
from api.v1.artifacts.routes import blp as artifacts
from api.v1.events.routes import blp as events
from api.v1.experiments.routes import blp as experiments
from api.v1.exports.routes import blp as exports
from api.v1.intents.routes import blp as intents
from api.v1.live.routes import blp as live
from api.v1.logs.routes import blp as logs
from api.v1.members.routes import blp as members
from api.v1.metrics.routes import blp as metrics
from api.v1.projects.routes import blp as projects
from api.v1.runs.routes import blp as runs
from api.v1.setup.routes import blp as setup
from api.v1.sign_in.routes import blp as sign_in
from api.v1.sources.routes import blp as sources

blueprints = (
    setup,
    sign_in,
    accounts,
    api_keys,
    projects,
    members,
    experiments,
    sources,
    runs,
    intents,
    logs,
    metrics,
    artifacts,
    exports,
    events,
    live,
)
