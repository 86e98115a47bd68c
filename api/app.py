"""Two applications over one assembly: ``create_app`` for requests, ``create_live`` for sockets."""

from flask import Flask
from flask_cors import CORS

from adapters.assembly import build_ports
from api import docs, errors, etag, health, requests, sealing
from api.describing import Api, Described
from api.identifiers import IdConverter
from api.identity import access_tokens
from api.identity.actor import identify
from api.wire import Json
from settings import Settings

MOST_JSON_BYTES = 4 * 2**20
TITLE = "Runyard"
EXPOSED = [
    "ETag",
    "Location",
    "X-Request-Id",
    "Retry-After",
    "Content-Disposition",
    "Content-Range",
    "Deprecation",
    "Sunset",
]


def create_app(settings: Settings) -> Flask:
    """The web application: the native API, MLflow's protocol, and the documentation."""
    from api.mlflow import register as register_mlflow
    from api.v1 import blueprints

    app = _create_bare(settings)
    api = Api(app, spec_kwargs={**_describe(), "marshmallow_plugin": Described()})
    api.register_converter(IdConverter, lambda _: {"type": "string", "format": "uuid"})
    app.extensions["runyard_api"] = api
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    register_mlflow(app)
    app.register_blueprint(health.blp)
    app.register_blueprint(docs.blp)
    errors.register_error_handlers(app)
    app.register_error_handler(etag.MustSayVersion, etag.must_say_version)
    sealing.seal(app)
    return app


def create_live(settings: Settings) -> Flask:
    """The live application: the WebSocket and a health check."""
    from api.live.sockets import register as register_sockets

    app = _create_bare(settings)
    register_sockets(app)
    app.register_blueprint(health.blp)
    errors.register_error_handlers(app)
    sealing.seal(app)
    return app


def _create_bare(settings: Settings) -> Flask:
    app = Flask("runyard", static_folder=None)
    app.json = Json(app)
    app.url_map.converters["uuid"] = IdConverter
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_JSON_BYTES,
        API_TITLE=TITLE,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
    )
    app.extensions["runyard_settings"] = settings
    app.extensions["runyard_ports"] = build_ports(settings)
    access_tokens.configure(app, settings)
    CORS(
        app,
        origins=list(settings.origins),
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match"],
        expose_headers=EXPOSED,
        max_age=600,
    )
    requests.register(app)
    app.before_request(identify)
    return app


def _describe() -> dict[str, object]:
    return {
        "info": {
            "description": "Runs machine-learning experiments and records them.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "an access token from sign-in, or an API key",
                }
            }
        },
        "security": [{"bearer": []}],
    }
