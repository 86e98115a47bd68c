"""What `make run` says once everything is up."""

from collections.abc import Mapping

from domain.accounts.setup import issue_setup_token
from models.session import transaction
from workers.stack.folder import Folder


def setup_token() -> str | None:
    """A token for the first administrator; None when there is one already."""
    with transaction() as session:
        return issue_setup_token(session)


def summary(environment: Mapping[str, str], folder: Folder, setup_token: str | None) -> str:
    """Where everything is, in as many lines as there are things to know."""
    web = environment["RUNYARD_PUBLIC_URL"]
    lines = {
        "API": f"{web}/api/v1",
        "Documentation": f"{web}/docs",
        "Live socket": f"{environment['RUNYARD_LIVE_URL']}/live",
        "MLflow tracking": f"{web}  (export MLFLOW_TRACKING_URI={web})",
        "Flower": f"http://127.0.0.1:{environment['PORT_FLOWER']}  "
        f"(user runyard, password `flower` in {folder.secrets})",
        "Logs": str(folder.logs),
    }
    text = "".join(f"  {name:16} {place}\n" for name, place in lines.items())
    return (
        f"\nRunyard is ready.\n\n{text}\n{_first_steps(web, setup_token)}Ctrl-C stops everything.\n"
    )


def _first_steps(web: str, setup_token: str | None) -> str:
    if setup_token is None:
        return ""
    return (
        "Nobody administers this installation yet. Make yourself the first administrator with\n"
        f"this token, good for one use: {setup_token}\n\n"
        f'  curl {web}/api/v1/setup --json \'{{"token": "{setup_token}",\n'
        '    "email": "you@example.com", "name": "You", "password": "a long pass phrase"}\'\n\n'
    )
