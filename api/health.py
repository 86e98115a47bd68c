"""Whether the process lives, and whether it can accept work."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.errors import problem
from api.sealing import open_to_all
from models.session import transaction

blp = Blueprint("health", __name__)


@blp.get("/livez")
@open_to_all("a load balancer asks")
def alive() -> ResponseReturnValue:
    return jsonify(status="alive", process=current_app.name)


@blp.get("/readyz")
@open_to_all("a load balancer asks")
def ready() -> ResponseReturnValue:
    """Ready means that an intent could be accepted, for which PostgreSQL alone is needed."""
    try:
        with transaction() as session:
            session.execute(text("select 1 from users limit 1"))
    except SQLAlchemyError:
        return problem(503, "not_ready", "the database does not answer or is not migrated")
    return jsonify(status="ready")
