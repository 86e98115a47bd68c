"""Making the first administrator."""

from typing import Any

from api.blueprint import Blueprint
from api.v1.accounts.schemas import AccountSchema
from api.v1.setup.schemas import FirstAdminSchema
from domain.accounts.setup import create_first_admin
from models.accounts import User
from models.session import transaction

blp = Blueprint("setup", __name__, url_prefix="/api/v1", description="The first administrator")


@blp.route("/setup", methods=["POST"])
@blp.arguments(FirstAdminSchema)
@blp.response(201, AccountSchema)
@blp.open_to_all("the one-time setup token is the credential", 403, 409)
def set_up(given: dict[str, Any]) -> User:
    """Make the first administrator

    With the one-time setup token that the stack prints when it starts. Closed once used.
    """
    with transaction() as session:
        return create_first_admin(session, **given)
