"""Ports on the loopback interface."""

import socket

from workers.stack.refusal import CannotStart

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0) -> int:
    """The preferred port when it is free, else one that the kernel picks."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def refuse_taken(ports: dict[str, int]) -> None:
    """Check that ports, by the variable that sets each, are free.

    :raises CannotStart: naming the first port that is taken and its variable.
    """
    for variable, port in ports.items():
        if not is_free(port):
            raise CannotStart(
                f"port {port} is taken by another program; end that one, or choose another port: "
                f"{variable}={port + 100} make run"
            )
