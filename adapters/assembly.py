"""The single place where ports are bound to what fulfils them."""

from adapters.artifacts_local import LocalArtifacts
from adapters.launcher_local import LocalLauncher
from adapters.redis_bus import RedisBus
from domain.ports import Ports
from settings import Settings


def build_ports(settings: Settings) -> Ports:
    """Everything the domain needs of the outside world; connects to nothing yet."""
    return Ports(
        artifacts=LocalArtifacts(settings.artifacts_path),
        launcher=LocalLauncher(settings.launcher_socket),
        bus=RedisBus(settings.redis_url),
    )
