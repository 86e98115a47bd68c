"""What a client asks of the server itself, and what it hears where there is nothing."""

from flask import Response, request

from api.mlflow.errors import EndpointNotFound, NotImplementedHere
from api.mlflow.wire import answer
from api.sealing import open_to_all, performs
from domain.runs.logging import log

# Clients send traces to servers from 3.4 on, and older ones do without.
VERSION = "3.2.0"


@open_to_all("clients and load balancers ask before they sign in")
def health() -> Response:
    return Response("OK", mimetype="text/plain")


@open_to_all("clients ask before they sign in")
def version() -> Response:
    return Response(VERSION, mimetype="text/plain")


@open_to_all("clients ask before they sign in")
def server_info() -> Response:
    return answer(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": False,
            "multipart_downloads_enabled": False,
            "presigned_upload_url_supported": False,
            "presigned_upload_urls_supported": False,
            "features_enabled": [],
        }
    )


@open_to_all("it only says that there is nothing here")
def nothing_here(rest: str = "") -> Response:
    raise EndpointNotFound(f"Runyard has no endpoint {request.method} {request.path}")


@performs(log)
def log_inputs() -> Response:
    raise NotImplementedHere("Runyard does not keep the datasets of runs yet")
