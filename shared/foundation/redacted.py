"""Keep secrets and personal data out of logs and tracebacks: a value of type `Redacted` never shows its content.

A type that holds a token, a key or personal data derives from `Redacted`, or leaves that field out of its `repr`.
`shared/foundation/logs.py` limits what log events hold (docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs).
"""

from msgspec import Struct


class Redacted(Struct, frozen=True):
    """A frozen value whose `repr` shows only the name of its type."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"
