"""Column types of ours."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from sqlalchemy import DateTime, Text, TypeDecorator
from sqlalchemy.engine import Dialect

E = TypeVar("E", bound=StrEnum)


class Instant(TypeDecorator[datetime]):
    """A point in time, always with a zone and always given back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None


class Choice(TypeDecorator[E], Generic[E]):
    """A StrEnum stored by its value in a text column."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[E]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:
        return self.choices(value).value if value is not None else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return self.choices(value) if value is not None else None
