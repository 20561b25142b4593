"""Values that hold a secret or personal data: no text of them shows it, wherever a traceback or a log line puts it."""

from msgspec import Struct


class Redacted(Struct, frozen=True):
    """A frozen value whose `repr` names its type alone."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"
