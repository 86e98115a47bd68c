"""The families of errors a caller could have avoided.

A family says what kind of refusal it is; what that looks like on a wire is each door's business.
"""


class DomainError(Exception):
    """Something the caller asked for cannot be done, and why.

    ``code`` is stable and machine-readable, ``detail`` tells a person what to do, ``pointer``
    is the JSON pointer of the field at fault, if one is.
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.pointer = pointer


class NotFound(DomainError):
    """There is no such thing, or none that the actor may see."""

    code = "not_found"


class Unauthenticated(DomainError):
    """Nobody we know is calling."""

    code = "unauthenticated"


class Forbidden(DomainError):
    """The actor sees the thing but may not do this to it."""

    code = "forbidden"


class Conflict(DomainError):
    """The thing is not in a state in which this can be done."""

    code = "conflict"


class Stale(DomainError):
    """The thing has changed since the caller read it."""

    code = "stale"


class Invalid(DomainError):
    """What was given makes no sense."""

    code = "invalid"


class TooLarge(DomainError):
    """What was given is larger than allowed."""

    code = "too_large"


class TooMany(DomainError):
    """A limit on how much or how often is reached."""

    code = "too_many"


class Unavailable(DomainError):
    """A part that is needed does not answer; asking again later may help."""

    code = "unavailable"
