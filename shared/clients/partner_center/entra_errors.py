"""Translate a refusal of Entra ID's token endpoint into an error with a remedy for a person.

Source: docs/reference/partner-center.md#token-endpoint-errors. Entra's descriptions contain names of users, tenants
and traces. Only the code and the first sentence are kept, without e-mail addresses and quoted names.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from shared.foundation.errors import MAX_REMOTE_TEXT, ConsentNeeded, CosellError, MfaRequired, SignInFailed, Unavailable
from shared.foundation.known_shapes import known_call_id

_CONSENT = "Sign in again as the integration account, with multi-factor authentication."
_ADMIN_CONSENT = "Ask an administrator to consent to the app for both Partner Center APIs, then sign in again."
_POLICY = "Ask an administrator to allow the app and the integration account in conditional access."
_APP = "Correct the settings for tenant and client id: the app registration is not in this tenant."
_CREDENTIAL = "Put a valid certificate or client secret of the app registration into Key Vault."
_UPLOAD = "Upload the certificate whose key is in Key Vault to the app registration, and check the machine's clock."
_PUBLIC = (
    "The app registration is confidential: sign in by browser with its certificate or client secret, or make it public."
)
_NOT_PUBLIC = "The app registration is public: set PARTNER_CENTER_PUBLIC_CLIENT to true, or add a credential to it."
_DECLINED = "Sign in again and accept the permissions that the app asks for."
_ASSIGN = "Ask an administrator to enable the enterprise application and to assign the integration account to it."
_ACCOUNT = "Enable the integration account, or sign in again with another account."
_API = "Add the Partner Center API permission to the app registration (its service principal is not in the tenant)."
_OTHER = "Look up the code in Entra's sign-in log, and correct the app registration or the integration account."

_CODES: Mapping[str, tuple[type[SignInFailed], str]] = {
    "70008": (ConsentNeeded, _CONSENT),
    "700082": (ConsentNeeded, _CONSENT),
    "50173": (ConsentNeeded, _CONSENT),
    "50076": (MfaRequired, _CONSENT),
    "50079": (MfaRequired, _CONSENT),
    "50078": (MfaRequired, _CONSENT),
    "50158": (MfaRequired, _CONSENT),
    "53003": (SignInFailed, _POLICY),
    "65001": (ConsentNeeded, _ADMIN_CONSENT),
    "700007": (SignInFailed, _APP),
    "700016": (SignInFailed, _APP),
    "7000215": (SignInFailed, _CREDENTIAL),
    "7000222": (SignInFailed, _CREDENTIAL),
    "700024": (SignInFailed, _UPLOAD),
    "700027": (SignInFailed, _UPLOAD),
    "7000218": (SignInFailed, _PUBLIC),
    "700025": (SignInFailed, _NOT_PUBLIC),
    "65004": (ConsentNeeded, _DECLINED),
    "90094": (ConsentNeeded, _ADMIN_CONSENT),
    "50105": (SignInFailed, _ASSIGN),
    "7000112": (SignInFailed, _ASSIGN),
    "50057": (SignInFailed, _ACCOUNT),
    "50034": (SignInFailed, _ACCOUNT),
    "50126": (SignInFailed, _ACCOUNT),
    "500011": (SignInFailed, _API),
}
_ERRORS: Mapping[str, tuple[type[SignInFailed], str]] = {
    "invalid_grant": (ConsentNeeded, _CONSENT),
    "interaction_required": (ConsentNeeded, _CONSENT),
    "consent_required": (ConsentNeeded, _ADMIN_CONSENT),
    "invalid_client": (SignInFailed, _CREDENTIAL),
}
_TEMPORARY = frozenset({"90033", "90024", "temporarily_unavailable", "server_error"})
_ROTATED = frozenset({"invalid_grant", "invalid_client", "7000215", "7000222"})

_EMAIL = re.compile(r"[^\s'\"<>(]+@[^\s'\">),]+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\{[^}]*\}")


class EntraRefusal(Struct, frozen=True):
    """A refusal of the token endpoint: the OAuth error, Entra's number if there is one, and the first sentence.

    `call_id` is the id under which Entra's sign-in log has the call.
    """

    error: str
    number: str | None
    sentence: str
    call_id: str | None = None

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> "EntraRefusal":
        """The refusal in an error answer, whatever types its fields have."""
        description = answer.get("error_description")
        text = description if isinstance(description, str) else ""
        numbers = answer.get("error_codes")
        first = numbers[0] if isinstance(numbers, list) and numbers else None
        match = re.search(r"AADSTS(\d{4,10})", text)
        number = str(first) if isinstance(first, int) else match and match[1]
        call_id = known_call_id(str(answer.get("correlation_id") or ""))
        return cls(_oauth_error(answer.get("error")), number or None, _first_sentence(text), call_id)

    @property
    def code(self) -> str:
        """`AADSTS` with the number, or the OAuth error if there is no number."""
        return f"AADSTS{self.number}" if self.number else self.error

    @property
    def may_mean_stale_secret(self) -> bool:
        """Whether the cause may be that the vault has a newer secret or refresh token than the one that was read."""
        return not _ROTATED.isdisjoint({self.error, self.number})

    def as_error(self) -> CosellError:
        """The error to raise for this refusal."""
        error = self._error()
        error.call_id = self.call_id
        return error

    def _error(self) -> CosellError:
        text = f"sign-in to Partner Center failed: {self.code}: {self.sentence}"
        if not _TEMPORARY.isdisjoint({self.error, self.number}):
            return Unavailable(text)
        kind, remedy = _CODES.get(self.number or "") or _ERRORS.get(self.error, (SignInFailed, _OTHER))
        return kind(text, code=self.code, remedy=remedy)


def _oauth_error(error: object) -> str:
    return error if isinstance(error, str) and re.fullmatch(r"[A-Za-z0-9_]{1,40}", error) else "unknown_error"


def _first_sentence(description: str) -> str:
    """The first sentence of a description, without its code and without names."""
    text = re.sub(r"^AADSTS\d+:\s*", "", description.strip())
    first = re.split(r"(?<=[.!?])\s|[\r\n]|Trace ID", text, maxsplit=1)[0]
    return _QUOTED.sub("…", _EMAIL.sub("…", first)).strip()[:MAX_REMOTE_TEXT] or "no description"
