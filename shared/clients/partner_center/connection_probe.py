"""Read from one list call whether the token proves MFA, which account and tenant it has, and the server's time.

The header `ValidateMfa: true` asks the service whether the token satisfies its MFA rule. It is not documented whether
the result is in a header or in the body, so both are read
(docs/reference/partner-center.md#multi-factor-authentication).
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.clients.partner_center import json_bodies
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Json
from shared.foundation.redacted import Redacted

VALIDATE_MFA = {"ValidateMfa": "true"}
_MFA_FIELD = "ismfacompliant"


class Probe(Redacted, frozen=True):
    """The newest referrals, whole, and what the answer and the token state. None means that neither states it."""

    referrals: Sequence[Json]
    mfa: bool | None
    tenant: str | None
    account: str | None
    at: datetime | None

    @property
    def count_without_account(self) -> int:
        """The number of referrals whose team lacks the account; 0 if the token does not name the account.

        A Referrals user sees no such referral (docs/reference/partner-center.md#who-sees-what).
        """
        account = (self.account or "").casefold()
        return sum(account not in _team_emails(referral) for referral in self.referrals) if account else 0


def _team_emails(referral: Json) -> set[str]:
    team = referral.get("team")
    members = team if isinstance(team, list) else []
    return {str(member.get("email")).casefold() for member in members if isinstance(member, dict)}


def read_probe(reply: Reply, token: str) -> Probe:
    """The facts in an answer to a list call. Raises `json_bodies.Unreadable`."""
    referrals, _ = json_bodies.parse_page(reply.body)
    claims = token_claims(token)
    mfa = _mfa_compliance(reply)
    if mfa is None and isinstance(claims.get("amr"), list):
        mfa = "mfa" in claims["amr"]
    account = (
        _text_claim(claims, "upn") or _text_claim(claims, "unique_name") or _text_claim(claims, "preferred_username")
    )
    return Probe(referrals, mfa, _text_claim(claims, "tid"), account, reply.date)


def token_claims(token: str) -> Mapping[str, Any]:
    """The claims of an access token, empty if it is opaque. They are not verified: show them, never decide by them."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _mfa_compliance(reply: Reply) -> bool | None:
    value = reply.headers.get(_MFA_FIELD)
    if value is None:
        body = json_bodies.parse_object(reply.body)
        value = next((item for name, item in body.items() if name.lower() == _MFA_FIELD), None)
    return None if value is None else str(value).strip().lower() == "true"


def _text_claim(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
