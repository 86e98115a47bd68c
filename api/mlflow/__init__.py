"""MLflow's tracking protocol in front of our domain: it translates, and decides nothing."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response

from api.mlflow import artifacts, experiments, logging, metrics, runs, server
from api.mlflow.errors import register_error_handlers

View = Callable[..., Response]
ANY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The client's prefix, and the one of MLflow's own pages.
PREFIXES = ("/api", "/ajax-api")
TRACKING: tuple[tuple[str, str, View], ...] = (
    ("POST", "experiments/create", experiments.create),
    ("GET", "experiments/get", experiments.get),
    ("GET", "experiments/get-by-name", experiments.get_by_name),
    ("GET", "experiments/search", experiments.search),
    ("POST", "experiments/search", experiments.search),
    ("POST", "experiments/set-experiment-tag", experiments.set_tag),
    ("POST", "runs/create", runs.create),
    ("GET", "runs/get", runs.get),
    ("POST", "runs/update", runs.update),
    ("POST", "runs/delete", runs.delete),
    ("POST", "runs/restore", runs.restore),
    ("POST", "runs/search", runs.search),
    ("POST", "runs/log-metric", logging.log_metric),
    ("POST", "runs/log-parameter", logging.log_parameter),
    ("POST", "runs/log-batch", logging.log_batch),
    ("POST", "runs/set-tag", logging.set_tag),
    ("POST", "runs/delete-tag", logging.delete_tag),
    ("POST", "runs/log-inputs", server.log_inputs),
    ("GET", "metrics/get-history", metrics.get_history),
    ("GET", "artifacts/list", artifacts.list_of_run),
)
PROXY: tuple[tuple[str, str, View], ...] = (
    ("GET", "artifacts", artifacts.list_proxied),
    ("GET", "artifacts/<path:path>", artifacts.download),
    ("PUT", "artifacts/<path:path>", artifacts.upload),
    ("DELETE", "artifacts/<path:path>", artifacts.delete),
)


def register(app: Flask) -> None:
    """Put the façade on an application, under both prefixes."""
    for prefix in PREFIXES:
        app.register_blueprint(_facade(prefix), url_prefix=prefix)
    app.add_url_rule("/health", view_func=server.health, endpoint="mlflow_health")
    app.add_url_rule("/version", view_func=server.version, endpoint="mlflow_version")


def _facade(prefix: str) -> Blueprint:
    blueprint = Blueprint(f"mlflow{prefix.replace('/', '_').replace('-', '_')}", __name__)
    for method, path, view in TRACKING:
        _add(blueprint, method, f"/2.0/mlflow/{path}", view)
    for method, path, view in PROXY:
        _add(blueprint, method, f"/2.0/mlflow-artifacts/{path}", view)
    _add(blueprint, "GET", "/3.0/mlflow/server-info", server.server_info)
    for family in ("2.0/mlflow", "2.0/mlflow-artifacts", "3.0/mlflow"):
        for rule in (f"/{family}/", f"/{family}/<path:rest>"):
            blueprint.add_url_rule(
                rule,
                endpoint=f"nothing {rule}".replace(".", "_"),
                view_func=server.nothing_here,
                methods=ANY_METHOD,
                merge_slashes=False,
            )
    register_error_handlers(blueprint)
    return blueprint


def _add(blueprint: Blueprint, method: str, rule: str, view: View) -> None:
    endpoint = f"{method} {rule}".replace(".", "_")
    blueprint.add_url_rule(
        rule, endpoint=endpoint, view_func=view, methods=(method,), merge_slashes=False
    )
