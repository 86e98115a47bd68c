import socket

import pytest

from workers.stack import ports
from workers.stack.environment import ports as ports_from
from workers.stack.refusal import CannotStart


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_the_variable_that_changes_it(taken):
    with pytest.raises(CannotStart, match=f"port {taken} is taken.*PORT_WEB="):
        ports.refuse_taken({"PORT_WEB": taken})


def test_free_ports_are_no_reason_to_complain():
    ports.refuse_taken({"PORT_WEB": ports.free_port()})


def test_a_preferred_port_that_is_taken_gives_way_to_a_free_one(taken):
    other = ports.free_port(taken)

    assert other != taken
    assert ports.is_free(other)


@pytest.mark.parametrize("value", ["http", "0", "70000"])
def test_what_is_no_port_is_refused(value):
    with pytest.raises(CannotStart, match="PORT_LIVE must be a port number"):
        ports_from({"PORT_LIVE": value})
