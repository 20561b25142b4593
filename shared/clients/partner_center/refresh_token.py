"""Renew and keep the one refresh token of the integration account.

Each redemption of the refresh token can return its successor, which must be stored: a user who redeems the same token
again and again loses access after 90 days (docs/reference/partner-center.md#refresh-tokens). `sign_in.py` redeems the
token; this module decides which token is the newest and writes its successor to Key Vault.

Referrals and webhook registration need access tokens for two audiences, and one refresh token serves both
(docs/reference/partner-center.md#token-audiences). If each sign-in stored its successor independently, the slower one
could overwrite a newer token with an older one, or redeem a token that was just replaced. Therefore all sign-ins of a
process share one keeper, and hold its lock from reading the token until the successor is stored.
"""

import threading
from collections.abc import Callable

from shared.clients.vault_ports import Vault
from shared.foundation.errors import CosellError


class RefreshTokenKeeper:
    """The refresh token in the vault, or a newer one that could not be stored there yet."""

    def __init__(self, vault: Vault, name: str, log: Callable[..., None]) -> None:
        """`name` is the name of the secret; `log` takes the name of a log event and its fields."""
        self.lock = threading.Lock()
        self._vault = vault
        self._name = name
        self._log = log
        self._unsaved: str | None = None

    def newest_token(self, read: Callable[[str], str]) -> str:
        """The newest refresh token. `read` is `get` or `get_fresh` of the vault. Raises what `read` raises."""
        return self._unsaved or read(self._name)

    def forget_unsaved(self) -> None:
        """Use the vault's token from now on: Entra ID has refused the one that is kept here."""
        self._unsaved = None

    def store_successor(self, successor: object, used: str) -> None:
        """Store the successor of the token `used`. If that fails, keep it here and store it after the next redemption.

        An answer without a successor leaves `used` valid.
        """
        newest = successor if isinstance(successor, str) and successor else used
        if newest == used and self._unsaved is None:
            return
        try:
            self._vault.set(self._name, newest)
            self._unsaved = None
        except CosellError as error:
            # The sign-in succeeds: the access token is good, and Entra ID normally keeps the former token valid.
            self._unsaved = newest
            self._log("refresh_token_not_stored", name=self._name, error=type(error).__name__)
