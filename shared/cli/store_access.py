"""Give each reason why the table cannot be opened (`shared/store/access_refusal.py`) its exit code."""

from collections.abc import Mapping

from shared.cli.exit_codes import Exit
from shared.foundation.errors import StoreError
from shared.store.access_refusal import Refusal, access_refusal

_CODES: Mapping[Refusal, Exit] = {
    Refusal.REFUSED: Exit.REFUSED,
    Refusal.NO_LOGIN: Exit.SIGN_IN,
    Refusal.NO_CONNECTION: Exit.RETRY,
}


def explain_refusal(error: StoreError) -> tuple[str, Exit] | None:
    """Return what a person can do, and the exit code; None for an error with another reason."""
    found = access_refusal(error)
    return (found[1], _CODES[found[0]]) if found else None
