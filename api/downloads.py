"""Handing out files of the artifact store: as attachments, in ranges, never to be rendered."""

from pathlib import PurePosixPath

from flask import Response, send_file

from api.ports import ports
from domain.errors import NotFound


def send(path: str, name: str | None = None) -> Response:
    """A file of the store. :raises NotFound: there is none."""
    file = ports().artifacts.local(path)
    if not file.is_file():
        raise NotFound(f"there is no file {PurePosixPath(path).name}")
    answer = send_file(
        file,
        as_attachment=True,
        download_name=name or file.name,
        conditional=True,
        etag=True,
        max_age=0,
    )
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
