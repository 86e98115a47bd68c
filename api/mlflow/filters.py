"""MLflow's search grammar: clauses joined by AND, and orders, into terms of our searches."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.mlflow.vocabulary import states_of
from domain.errors import Invalid
from domain.experiments.tracking import NameIs
from domain.runs.conditions import Condition, Operator, Subject
from domain.runs.ordering import OrderBy

TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>'[^']*'|"[^"]*")
      | `(?P<ticked>[^`]*)`
      | (?P<sign><=|>=|!=|<>|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[^\s'"`=<>!(),]+)
    )""",
    re.VERBOSE,
)
ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), Subject.METRIC),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), Subject.PARAM),
    **dict.fromkeys(("tag", "tags"), Subject.TAG),
}
ATTRIBUTE_ENTITIES = ("attribute", "attributes", "attr", "run")
ATTRIBUTES = {
    "run_id": Subject.ID,
    "run_uuid": Subject.ID,
    "run_name": Subject.NAME,
    "status": Subject.STATE,
    "start_time": Subject.STARTED_AT,
    "created": Subject.STARTED_AT,
    "end_time": Subject.ENDED_AT,
}
NUMERIC = (Subject.METRIC, Subject.STARTED_AT, Subject.ENDED_AT)
ORDERED = {Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}
SAME = {Operator.EQUAL, Operator.NOT_EQUAL}
PATTERNS = {Operator.LIKE, Operator.ILIKE}
NULLS = {Operator.IS_NULL, Operator.IS_NOT_NULL}
LISTS = {Operator.IN, Operator.NOT_IN}
ALLOWED = {
    Subject.METRIC: SAME | ORDERED,
    Subject.STARTED_AT: SAME | ORDERED,
    Subject.ENDED_AT: SAME | ORDERED,
    Subject.PARAM: SAME | PATTERNS | NULLS,
    Subject.TAG: SAME | PATTERNS | NULLS,
    Subject.ID: SAME | LISTS,
    Subject.NAME: SAME | PATTERNS,
    Subject.STATE: SAME | LISTS,
}


class FilterRefused(Invalid):
    """The filter or order cannot be understood."""

    code = "filter_refused"


@dataclass(frozen=True)
class Token:
    """One piece of a filter: its kind by the pattern's groups, and its text."""

    kind: str
    text: str

    def says(self, word: str) -> bool:
        return self.kind in ("word", "mark", "sign") and self.text.upper() == word


END = Token("end", "")


@dataclass(frozen=True)
class Clause:
    """``<entity>.<key> <operator> <value>`` as it was written; no entity means an attribute."""

    entity: str
    key: str
    operator: Operator
    value: Any


def run_conditions(text: str) -> list[Condition]:
    """The conditions of a filter on runs. :raises FilterRefused:"""
    return [_condition(clause) for clause in clauses(text)]


def run_orders(wishes: Sequence[str]) -> list[OrderBy]:
    """The orders a search of runs asks for. :raises FilterRefused: also for a key twice."""
    orders = [_order(wish) for wish in wishes]
    if len({(order.subject, order.key) for order in orders}) < len(orders):
        raise FilterRefused("order_by names the same key twice")
    return orders


def experiment_names(text: str) -> list[NameIs]:
    """The conditions of a filter on experiments, which are on the name. :raises FilterRefused:"""
    return [_name(clause) for clause in clauses(text)]


def clauses(text: str) -> list[Clause]:
    """The clauses of a filter; an empty one has none. :raises FilterRefused:"""
    reader = Reader(text)
    found: list[Clause] = []
    while not reader.ended:
        if found:
            reader.expect("AND")
        found.append(reader.clause())
    return found


class Reader:
    """Goes through the tokens of a filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)

    @property
    def ended(self) -> bool:
        return not self._tokens

    def clause(self) -> Clause:
        entity, key = self.identifier()
        operator = self.operator()
        return Clause(entity, key, operator, self.right_side(operator))

    def right_side(self, operator: Operator) -> Any:
        """What the operator compares with: nothing, a list or one value."""
        if operator in NULLS:
            return None
        return self.values() if operator in LISTS else self.value()

    def identifier(self) -> tuple[str, str]:
        """An entity and a key, which may be quoted; a bare name is an attribute."""
        token = self.take()
        if token.kind == "ticked":
            return "", token.text
        if token.kind != "word":
            raise self.refuse(token)
        entity, dot, key = token.text.partition(".")
        if dot and not key:
            key = self._quoted_key()
        return (entity.lower(), key) if dot else ("", entity)

    def operator(self) -> Operator:
        token = self.take()
        word = "!=" if token.text == "<>" else token.text.lower()
        if word in ("is", "not"):
            word += f" {self.take().text.lower()}"
            if word == "is not":
                word += f" {self.take().text.lower()}"
        if token.kind not in ("sign", "word") or word not in set(Operator):
            raise self.refuse(token)
        return Operator(word)

    def value(self) -> str | float:
        token = self.take()
        if token.kind == "quoted":
            return token.text[1:-1]
        try:
            return float(token.text)
        except ValueError:
            raise self.refuse(token) from None

    def values(self) -> tuple[str | float, ...]:
        self.expect("(")
        values = [self.value()]
        while (token := self.take()).says(","):
            values.append(self.value())
        if not token.says(")"):
            raise self.refuse(token)
        return tuple(values)

    def expect(self, word: str) -> None:
        token = self.take()
        if not token.says(word):
            raise self.refuse(token)

    def take(self) -> Token:
        return self._tokens.pop(0) if self._tokens else END

    def refuse(self, token: Token) -> FilterRefused:
        where = f"at {token.text!r}" if token is not END else "at its end"
        return FilterRefused(
            f"{self._text!r} is not understood {where}; clauses such as metrics.loss < 0.5, "
            "params.lr = '0.1', tags.`a key` LIKE 'x%' are joined by AND"
        )

    def _quoted_key(self) -> str:
        token = self.take()
        if token.kind == "ticked":
            return token.text
        if token.kind == "quoted":
            return token.text[1:-1]
        raise self.refuse(token)


def _tokens(text: str) -> list[Token]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = TOKEN.match(text, place)
        if match is None:
            raise FilterRefused(f"{text!r} is not understood at {text[place:]!r}")
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind]))
        place = match.end()
    return tokens


def _subject(entity: str, key: str) -> tuple[Subject, str]:
    if entity in ENTITIES:
        return ENTITIES[entity], key
    if entity in ("", *ATTRIBUTE_ENTITIES) and key.lower() in ATTRIBUTES:
        return ATTRIBUTES[key.lower()], ""
    named = f"{entity}.{key}" if entity else key
    raise FilterRefused(
        f"{named!r} is not known; use metrics.…, params.…, tags.… or one of the attributes "
        f"{', '.join(ATTRIBUTES)}"
    )


def _condition(clause: Clause) -> Condition:
    subject, key = _subject(clause.entity, clause.key)
    operator, value = clause.operator, clause.value
    if operator not in ALLOWED[subject]:
        raise FilterRefused(f"{clause.key} cannot be compared by {operator.upper()}")
    if operator not in NULLS:
        _check_kind(clause, numeric=subject in NUMERIC)
    if subject is Subject.STATE:
        return _state(operator, value)
    if subject is Subject.ID:
        value = [run_id for text in _listed(value) if (run_id := _run_id(text))]
        operator = Operator.IN if operator in (Operator.EQUAL, Operator.IN) else Operator.NOT_IN
    if subject in (Subject.STARTED_AT, Subject.ENDED_AT):
        value = _instant(value)
    return Condition(subject, operator, value, key)


def _state(operator: Operator, value: Any) -> Condition:
    states = [state for word in _listed(value) for state in states_of(word)]
    within = operator in (Operator.EQUAL, Operator.IN)
    return Condition(Subject.STATE, Operator.IN if within else Operator.NOT_IN, states)


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, tuple) else [value]


def _run_id(text: str) -> UUID | None:
    """An id that can be no run's matches none."""
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def _check_kind(clause: Clause, *, numeric: bool) -> None:
    for value in _listed(clause.value):
        if isinstance(value, str) is numeric:
            wanted = "a number" if numeric else "text in quotes"
            raise FilterRefused(f"{clause.key} is compared with {wanted}, not with {value!r}")


def _instant(milliseconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise FilterRefused(f"{milliseconds} is no time in milliseconds since 1970") from None


def _order(wish: str) -> OrderBy:
    reader = Reader(wish)
    subject, key = _subject(*reader.identifier())
    direction = reader.take()
    if not (direction is END or direction.says("ASC") or direction.says("DESC")):
        raise reader.refuse(direction)
    if not reader.ended:
        raise reader.refuse(reader.take())
    return OrderBy(subject, direction.says("DESC"), key)


def _name(clause: Clause) -> NameIs:
    if (clause.entity, clause.key.lower()) not in {("", "name"), ("attribute", "name")}:
        raise FilterRefused("experiments can be filtered by name only")
    if clause.operator not in SAME | PATTERNS or not isinstance(clause.value, str):
        raise FilterRefused("a name is compared by =, !=, LIKE or ILIKE with text in quotes")
    return NameIs(
        clause.value,
        like=clause.operator in PATTERNS,
        ignoring_case=clause.operator is Operator.ILIKE,
        negated=clause.operator is Operator.NOT_EQUAL,
    )
