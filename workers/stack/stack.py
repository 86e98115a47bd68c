"""One machine's stack: its pieces, in the order in which they need one another."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from models.migrating import upgrade
from settings import read
from workers.stack import environment, farewell, keeper, outside, pieces
from workers.stack.embedded import embedded_postgres, embedded_valkey
from workers.stack.folder import Folder
from workers.stack.pieces import Ledger
from workers.stack.ports import refuse_taken
from workers.stack.postgres import start_postgres
from workers.stack.readiness import wait_for_doors
from workers.stack.secret_file import read_or_make
from workers.stack.valkey import start_valkey


class Stack:
    """What runs out of one data folder."""

    def __init__(self, folder: Folder, given: Mapping[str, str], listing: Path) -> None:
        self.folder = folder
        self.given = given
        self.listing = listing
        self.ledger = Ledger(folder.pieces)
        self.starters: dict[str, Callable[[], None]] = {}
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        """Start everything and wait until it answers.

        :raises CannotStart: something stands in the way.
        :raises SettingsRefused: a setting makes no sense.
        """
        doors = environment.ports(self.given)
        refuse_taken(doors)
        self._start_servers()
        whole = environment.for_processes(self.environment, self.given)
        read(whole)
        outside.refuse_unreachable(whole["DATABASE_URL"], whole["REDIS_URL"])
        os.environ.update(self.environment)
        upgrade(whole["DATABASE_URL"])
        self._start(keeper.NAME, lambda: self._start_processes(whole, doors))
        environment.publish(self.environment, self.folder.environment)

    def mend(self) -> list[str]:
        """Start again what has died, and name it."""
        dead = [name for name, piece in self.ledger.pieces.items() if not pieces.is_alive(piece)]
        for name in dead:
            self.ledger.end(name, within=0)
            self.starters[name]()
        return dead

    def end_leftovers(self) -> list[str]:
        """End what a stack before us left when it was killed, and name it."""
        left = Ledger.read(self.folder.pieces)
        names = [name for name, piece in left.pieces.items() if pieces.is_alive(piece)]
        left.end_all(within=keeper.LONGEST_STOP_SECONDS)
        return names

    def end(self) -> None:
        """End the runs, then every piece; the keeper ends the processes that it keeps."""
        self.folder.environment.unlink(missing_ok=True)
        try:
            if keeper.NAME in self.ledger.pieces:
                farewell.end_runs(self.folder)
        except (OSError, SQLAlchemyError) as problem:
            reason = str(problem).splitlines()[0]
            print(f"The runs could not be asked to stop and will show as lost: {reason}")
        finally:
            self.ledger.end_all(within=keeper.LONGEST_STOP_SECONDS)
            farewell.end_strays(self.folder)

    def _start_servers(self) -> None:
        folder, log, secrets = self.folder, self.folder.log, read_or_make(self.folder.secrets)
        database_url, redis_url = self.given.get("DATABASE_URL"), self.given.get("REDIS_URL")
        if not database_url:
            postgres = embedded_postgres(folder, secrets, self.given)
            database_url = postgres.url
            self._start(
                "postgres", lambda: start_postgres(postgres, self.ledger, log=log("postgres"))
            )
        if not redis_url:
            valkey = embedded_valkey(folder, secrets, self.given)
            redis_url = valkey.url
            self._start("valkey", lambda: start_valkey(valkey, self.ledger, log=log("valkey")))
        self.environment = environment.compose(
            folder, secrets, self.given, database_url=database_url, redis_url=redis_url
        )

    def _start_processes(self, whole: Mapping[str, str], doors: Mapping[str, int]) -> None:
        keeper.start_keeper(self.folder, self.ledger, whole, listing=self.listing)
        wait_for_doors(doors, self.folder, self.ledger.pieces[keeper.NAME])
        keeper.start_all(self.folder)

    def _start(self, name: str, starter: Callable[[], None]) -> None:
        self.starters[name] = starter
        starter()
