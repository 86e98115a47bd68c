"""Personal keys for scripts."""

from typing import Any
from uuid import UUID

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from api.paging import PageArguments, page_of, page_request
from api.v1.api_keys.schemas import ApiKeySchema, ApiKeySecretSchema, NewApiKeySchema
from domain.accounts import api_keys
from domain.paging import Page
from models.accounts import ApiKey
from models.session import transaction

blp = Blueprint("api-keys", __name__, url_prefix="/api/v1", description="Personal API keys")


@blp.route("/api-keys", methods=["GET"])
@blp.arguments(PageArguments, location="query")
@blp.response(200, page_of(ApiKeySchema))
@blp.reads(api_keys.list_api_keys)
def list_api_keys(arguments: dict[str, Any]) -> Page[ApiKey]:
    """List one's own keys

    Sort by `id`, `name` or `created_at`.
    """
    with transaction() as session:
        return api_keys.list_api_keys(session, current_actor(), page_request(arguments))


@blp.route("/api-keys", methods=["POST"])
@blp.arguments(NewApiKeySchema)
@blp.response(201, ApiKeySecretSchema)
@blp.performs(api_keys.create_api_key)
def create_api_key(given: dict[str, Any]) -> api_keys.NewApiKey:
    """Make a key

    It holds one's own rights, but cannot make credentials or change members. The secret is
    shown this once.
    """
    with transaction() as session:
        return api_keys.create_api_key(session, current_actor(), None, **given)


@blp.route("/api-keys/<uuid:key_id>", methods=["DELETE"])
@blp.response(204)
@blp.performs(api_keys.revoke_api_key)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key at once"""
    with transaction() as session:
        api_keys.revoke_api_key(session, current_actor(), None, key_id=key_id)
