"""The servers of a stack whose user named none."""

from collections.abc import Mapping

from workers.stack import engines
from workers.stack.account import server_account
from workers.stack.folder import Folder
from workers.stack.ports import free_port
from workers.stack.postgres import Postgres
from workers.stack.secret_file import Secrets
from workers.stack.valkey import Valkey

PORT_POSTGRES = 15432
PORT_VALKEY = 16379


def embedded_postgres(folder: Folder, secrets: Secrets, environment: Mapping[str, str]) -> Postgres:
    """The PostgreSQL of this data folder."""
    account = server_account()
    return Postgres(
        programs=engines.postgres_programs(account, folder.engines),
        folder=folder.path / "postgres",
        account=account,
        port=_port("PORT_POSTGRES", PORT_POSTGRES, environment),
        password=secrets.postgres,
        owner_password=secrets.postgres_owner,
    )


def embedded_valkey(folder: Folder, secrets: Secrets, environment: Mapping[str, str]) -> Valkey:
    """The Valkey of this data folder."""
    account = server_account()
    return Valkey(
        program=engines.valkey_program(account, folder.engines),
        folder=folder.path / "valkey",
        account=account,
        port=_port("PORT_VALKEY", PORT_VALKEY, environment),
        password=secrets.valkey,
    )


def _port(variable: str, usual: int, environment: Mapping[str, str]) -> int:
    """A port named is taken as it is; the usual one steps aside for another stack."""
    return int(environment.get(variable) or free_port(usual))
