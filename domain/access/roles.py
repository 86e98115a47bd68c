"""Which role holds which permission; each role holds all that the one below it holds."""

from domain.access.permissions import Permission as P
from models.projects import ProjectRole

VIEWER = frozenset(
    {
        P.ARTIFACT_READ,
        P.EVENT_READ,
        P.EXPERIMENT_READ,
        P.EXPORT_READ,
        P.INTENT_READ,
        P.LOG_READ,
        P.MEMBER_READ,
        P.METRIC_READ,
        P.PROJECT_READ,
        P.RUN_EXPORT,
        P.RUN_READ,
        P.SOURCE_READ,
    }
)
EDITOR = VIEWER | {
    P.ARTIFACT_WRITE,
    P.EXPERIMENT_CREATE,
    P.EXPERIMENT_UPDATE,
    P.RUN_CLONE,
    P.RUN_CREATE,
    P.RUN_DELETE,
    P.RUN_LOG,
    P.RUN_START,
    P.RUN_STOP,
    P.RUN_UPDATE,
    P.SOURCE_CREATE,
}
MAINTAINER = EDITOR | {
    P.EXPERIMENT_DELETE,
    P.MEMBER_MANAGE,
    P.PROJECT_UPDATE,
    P.SOURCE_DELETE,
}
OWNER = MAINTAINER | {P.MEMBER_MANAGE_LEADERS, P.PROJECT_DELETE}

IN_PROJECT = {
    ProjectRole.VIEWER: VIEWER,
    ProjectRole.EDITOR: EDITOR,
    ProjectRole.MAINTAINER: MAINTAINER,
    ProjectRole.OWNER: OWNER,
}

EVERYONE_SIGNED_IN = frozenset(
    {P.API_KEY_MANAGE, P.LIVE_LISTEN, P.PROFILE_READ, P.PROJECT_CREATE, P.SESSION_END}
)
ADMINS_ONLY = frozenset({P.ACCOUNT_CREATE, P.ACCOUNT_LIST})

# A key is for scripts: it cannot make further credentials or change who belongs to a project.
NOT_BY_KEY = frozenset(
    {P.ACCOUNT_CREATE, P.API_KEY_MANAGE, P.MEMBER_MANAGE, P.MEMBER_MANAGE_LEADERS, P.SESSION_END}
)
BY_RUN_TOKEN = frozenset(
    {
        P.ARTIFACT_READ,
        P.ARTIFACT_WRITE,
        P.EXPERIMENT_READ,
        P.METRIC_READ,
        P.RUN_CREATE,
        P.RUN_LOG,
        P.RUN_READ,
    }
)
