"""Accounts, and one's own."""

from typing import Any

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.paging import page_of, page_request
from api.v1.accounts.schemas import AccountArguments, AccountSchema, NewAccountSchema
from domain.accounts import commands, queries
from domain.paging import Page
from models.accounts import User
from models.session import transaction

blp = Blueprint("accounts", __name__, url_prefix="/api/v1", description="People")


@blp.route("/me", methods=["GET"])
@blp.response(200, AccountSchema)
@blp.reads(queries.own_account)
def read_own_account() -> User:
    """Read one's own account"""
    with transaction() as session:
        return queries.own_account(session, current_actor())


@blp.route("/accounts", methods=["GET"])
@blp.arguments(AccountArguments, location="query")
@blp.response(200, page_of(AccountSchema))
@blp.reads(queries.list_accounts)
def list_accounts(arguments: dict[str, Any]) -> Page[User]:
    """List accounts

    Sort by `id`, `email`, `name` or `created_at`.
    """
    with transaction() as session:
        return queries.list_accounts(session, current_actor(), page_request(arguments), **arguments)


@blp.route("/accounts", methods=["POST"])
@blp.arguments(NewAccountSchema)
@blp.response(201, AccountSchema)
@blp.performs(commands.create_account, 409)
def create_account(given: dict[str, Any]) -> User:
    """Make an account for a person"""
    with transaction() as session:
        return commands.create_account(session, current_actor(), None, **given)
