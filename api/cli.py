"""The application for the command line: ``flask --app wsgi:manage db upgrade`` and the like."""

from flask import Flask
from flask_migrate import Migrate

from api.app import create_app
from models.base import Base
from models.migrating import FOLDER
from settings import Settings


def create_managed(settings: Settings) -> Flask:
    """The web application with the commands of Flask-Migrate, whose import serving is spared."""
    app = create_app(settings)
    Migrate(app, Base, directory=str(FOLDER))
    return app
