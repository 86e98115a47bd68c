"""``python -m workers.launcher``"""

import gc
import logging
import os
from pathlib import Path

from settings import settings
from workers.launcher.orphans import sweep
from workers.launcher.server import serve
from workers.launcher.warmth import warm_up
from workers.runner.attempt import carry
from workers.runner.marks import installation_of


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # what the keeper has left open would be held open by every runner
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    data_dir = Path(settings().data_dir)
    (data_dir / "logs").mkdir(parents=True, exist_ok=True)
    warm_up()
    # forked processes then share the memory of all that is imported
    gc.collect()
    gc.freeze()
    request = serve(
        settings().launcher_socket,
        runner_log=data_dir / "logs" / "runner.log",
        sweep=lambda: sweep(installation_of(data_dir)),
    )
    if request:
        carry(request.attempt_id, request.token)


if __name__ == "__main__":
    main()
