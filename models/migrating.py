"""Bringing a database to the shape the code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def configuration(database_url: str) -> Config:
    """Alembic's configuration for a database."""
    config = Config(FOLDER / "alembic.ini")
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Apply what is missing; two processes at once wait for one another."""
    command.upgrade(configuration(database_url), "head")
