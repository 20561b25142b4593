"""The one refresh token of the integration account, whatever audience it is redeemed for.

Referrals and webhook registration want access tokens of two audiences; one refresh token serves both, and each
redemption may bring its successor (reference/partner-center.md 12.1, 12.5). Were each sign-in to redeem and write back
by itself, the slower one could put an older token over a newer one, or redeem one that has just been replaced. So all
sign-ins of a process share this, and hold its lock from reading the token until its successor is stored.
"""

import threading
from collections.abc import Callable

from shared.clients.vault_ports import Vault
from shared.foundation.errors import CosellError


class RefreshTokenKeeper:
    """The token in the vault, and the newer one that could not be written there yet."""

    def __init__(self, vault: Vault, name: str, log: Callable[..., None]) -> None:
        """`name` is the secret's; `log` takes an event's name and fields."""
        self.lock = threading.Lock()
        self._vault = vault
        self._name = name
        self._log = log
        self._unsaved: str | None = None

    def newest_token(self, read: Callable[[str], str]) -> str:
        """The newest token there is; `read` is one of the vault's ways to read. Raises NotFound and what it raises."""
        return self._unsaved or read(self._name)

    def forget_unsaved(self) -> None:
        """Entra has refused it: what the vault has is worth more than what is held here."""
        self._unsaved = None

    def store_successor(self, successor: object, used: str) -> None:
        """Write the successor back; where that fails, hold it here and write again next time."""
        newest = successor if isinstance(successor, str) and successor else used
        if newest == used and self._unsaved is None:
            return
        try:
            self._vault.set(self._name, newest)
            self._unsaved = None
        except CosellError as error:
            # Not fatal: the access token is good, and Entra normally keeps the former refresh token valid.
            self._unsaved = newest
            self._log("refresh_token_not_stored", name=self._name, error=type(error).__name__)
