"""How fast news fans out: N sockets on T topics, M events a second.

Starts a live process of its own on the databases the environment names (throw-away ones), and
publishes as the dispatcher does. Sockets, publisher and server share the machine, so the figures
hold for all of them together. A delivery's time runs from before the copy to Redis to its reading.

    python -m bench.live_fanout --sockets 500 --topics 10 --events 50 --seconds 20
"""

import argparse
import os
import selectors
import socket
import subprocess
import sys
import time
from uuid import UUID, uuid4

import orjson
import psutil

from adapters.redis_bus import RedisBus
from domain.access.tokens import Prefix, digest, new_token
from domain.clock import in_seconds
from domain.news import announce, project_topic
from models.accounts import ApiKey, PlatformRole, User
from models.events import Event
from models.migrating import upgrade
from models.projects import Project
from models.session import transaction
from settings import settings

SOCKETS_PER_PERSON = 10
READ = 256 * 1024


def main() -> None:
    options = _options()
    upgrade(settings().database_url)
    keys = _make_people(options.sockets)
    topics = [project_topic(project) for project in _make_projects(options.topics)]
    port = _free_port()
    server = _start_server(port)
    try:
        ears = _connect(port, keys, topics, options.sockets)
        print(f"{len(ears)} sockets open")
        busy = _busy_seconds(server)
        sent, delays, spent = _publish_and_listen(ears, topics, options)
        busy = _busy_seconds(server) - busy
    finally:
        server.terminate()
        server.wait(20)
    per_topic = options.sockets / options.topics
    print(f"events sent          {sent} in {spent:.1f} s ({sent / spent:.0f}/s)")
    expected = f"{sent * per_topic:.0f} ({len(delays) / spent:.0f}/s)"
    print(f"deliveries           {len(delays)} of {expected}")
    delays.sort()
    for share in (0.5, 0.99, 1.0):
        place = max(0, int(len(delays) * share) - 1)
        print(f"p{share * 100:<4.0f}                {delays[place] * 1000:.1f} ms")
    print(f"server CPU           {busy / max(1, len(delays)) * 1e6:.0f} µs a delivery")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--topics", type=int, default=10)
    parser.add_argument("--events", type=float, default=50, help="a second, over all topics")
    parser.add_argument("--seconds", type=float, default=10)
    return parser.parse_args()


def _make_people(sockets: int) -> list[str]:
    """API keys of administrators, who may listen to everything."""
    keys = []
    with transaction() as session:
        for _ in range(-(-sockets // SOCKETS_PER_PERSON)):
            user = User(
                email=f"{uuid4()}@example.com",
                name="bench",
                password_hash="-",  # noqa: S106 - nobody signs in with it
                role=PlatformRole.ADMIN,
            )
            session.add(user)
            session.flush()
            keys.append(new_token(Prefix.KEY))
            session.add(
                ApiKey(
                    user_id=user.id,
                    name="bench",
                    hint=keys[-1][:10],
                    digest=digest(keys[-1]),
                    expires_at=in_seconds(3600),
                )
            )
    return keys


def _make_projects(count: int) -> list[UUID]:
    with transaction() as session:
        owner = session.query(User).first()
        projects = [Project(name=str(uuid4()), created_by_id=owner.id) for _ in range(count)]
        session.add_all(projects)
        session.flush()
        return [project.id for project in projects]


def _start_server(port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--workers", "1"]
    command += ["--worker-connections", "10000", "--bind", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "wsgi:live"]
    return subprocess.Popen(command, env={**os.environ, "RUNYARD_LOG_LEVEL": "WARNING"})


def _connect(port: int, keys: list[str], topics: list[str], count: int) -> list[socket.socket]:
    ears = []
    for number in range(count):
        topic = topics[number % len(topics)]
        ears.append(_open(port, keys[number // SOCKETS_PER_PERSON], topic))
    return ears


def _open(port: int, key: str, topic: str) -> socket.socket:
    """A socket that listens; bare, as a client library would cost more than the server."""
    until = time.monotonic() + 30
    while True:
        try:
            ear = socket.create_connection(("127.0.0.1", port), timeout=10)
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    ear.sendall(
        f"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {key}\r\n\r\n".encode()
    )
    _hear_until(ear, b'"hello"')
    subscription = orjson.dumps({"frame": "subscribe", "topics": {topic: {}}})
    # a text frame of a client, masked with zeros
    ear.sendall(bytes([0x81, 0x80 | len(subscription)]) + bytes(4) + subscription)
    _hear_until(ear, b'"subscribed"')
    ear.setblocking(False)
    return ear


def _hear_until(ear: socket.socket, word: bytes) -> None:
    heard = b""
    while word not in heard:
        fresh = ear.recv(READ)
        if not fresh or b"HTTP/1.1 4" in fresh:
            raise SystemExit(f"refused: {fresh.decode(errors='replace')}")
        heard += fresh


def _publish_and_listen(
    ears: list[socket.socket], topics: list[str], options: argparse.Namespace
) -> tuple[int, list[float], float]:
    bus = RedisBus(settings().redis_url)
    selector = selectors.DefaultSelector()
    for ear in ears:
        selector.register(ear, selectors.EVENT_READ)
    delays: list[float] = []
    began, sent = time.monotonic(), 0
    until = began + options.seconds
    while (moment := time.monotonic()) < until + 1.0:
        if moment < until and sent < (moment - began) * options.events:
            _tell(bus, topics[sent % len(topics)])
            sent += 1
        for key, _ in selector.select(0.002):
            delays += _delays(key.fileobj)
    return sent, delays, options.seconds


def _tell(bus: RedisBus, topic: str) -> None:
    with transaction() as session:
        announce(session, [topic], "bench", sent=time.monotonic())
    with transaction() as session:
        event = session.query(Event).filter_by(topic=topic).order_by(Event.seq.desc()).first()
    news = {"type": event.type, "at": 0, "data": event.data, "filler": "x" * 60}
    bus.stream([(topic, event.seq, orjson.dumps(news))])


def _delays(ear: socket.socket) -> list[float]:
    heard = ear.recv(READ)
    moment = time.monotonic()
    return [moment - float(part.partition(b"}")[0]) for part in heard.split(b'"sent":')[1:]]


def _busy_seconds(server: subprocess.Popen[bytes]) -> float:
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    return sum(sum(process.cpu_times()[:2]) for process in family)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
