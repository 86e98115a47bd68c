"""Sockets on paths of any length; the kernel itself takes about a hundred characters."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def connect_to(path: Path, *, timeout: float) -> socket.socket:
    """:raises OSError: nobody listens there, or not in time."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        with _short(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def listen_on(path: Path) -> socket.socket:
    """Listen, for our own user only, in place of whatever was at the path."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with _short(fresh) as address:
        listener.bind(address)
    fresh.chmod(0o600)
    listener.listen(128)
    # nobody meets a socket that doesn't listen yet, or one that others may open
    fresh.rename(path)
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
