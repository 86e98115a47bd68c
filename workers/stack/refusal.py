"""Why a stack cannot start."""


class CannotStart(Exception):
    """Something outside the code stands in the way; the message is one sentence that says what."""
