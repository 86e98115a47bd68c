"""The OpenAPI document and the page that shows it, with assets from an installed package."""

from pathlib import Path
from typing import Any, cast

import flask_swagger_ui
from flask import Blueprint, Response, current_app, jsonify, send_from_directory
from flask.typing import ResponseReturnValue

from api.describing import complete
from api.sealing import open_to_all

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
DOCUMENT = "runyard_openapi"
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Runyard API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
});
"""
blp = Blueprint("docs", __name__)


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of the native API."""
    if DOCUMENT not in current_app.extensions:
        spec = current_app.extensions["runyard_api"].spec
        current_app.extensions[DOCUMENT] = complete(spec.to_dict())
    return cast("dict[str, Any]", current_app.extensions[DOCUMENT])


@blp.get("/api/v1/openapi.json")
@open_to_all("the document holds nothing of any project")
def openapi() -> ResponseReturnValue:
    return jsonify(openapi_document())


@blp.get("/docs")
@open_to_all("the document holds nothing of any project")
def page() -> ResponseReturnValue:
    return _active(Response(PAGE, mimetype="text/html"))


@blp.get("/docs/start.js")
@open_to_all("part of the documentation page")
def start() -> ResponseReturnValue:
    return _active(Response(START, mimetype="text/javascript"))


@blp.get("/docs/<path:name>")
@open_to_all("part of the documentation page")
def asset(name: str) -> ResponseReturnValue:
    return _active(send_from_directory(ASSETS, name, max_age=86_400))


def _active(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
