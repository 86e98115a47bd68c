"""Ids in addresses."""

from uuid import UUID

from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """A UUID, with or without its dashes: MLflow's clients know a run by the bare 32 digits."""

    regex = "[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        return str(value)
