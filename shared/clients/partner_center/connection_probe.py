"""What one list call tells of the connection itself: MFA, the account, its tenant, the time over there.

`ValidateMfa: true` asks the service whether the token would pass its MFA rule; whether the answer's word for it stands
in a header or in the body is not documented, so both are looked at (reference/partner-center.md 12.6).
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.clients.partner_center import json_bodies
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Json
from shared.foundation.redacted import Redacted

VALIDATE_MFA = {"ValidateMfa": "true"}
_MFA_FIELD = "ismfacompliant"


class Probe(Redacted, frozen=True):
    """The newest referrals, whole, and what the answer and the token say; None where they say nothing."""

    referrals: Sequence[Json]
    mfa: bool | None
    tenant: str | None
    account: str | None
    at: datetime | None

    @property
    def count_without_account(self) -> int:
        """How many referrals have a team that the account is not in: a Referrals user sees none of them (12.2).

        0 as well where the token does not name the account.
        """
        account = (self.account or "").casefold()
        return sum(account not in _team_emails(referral) for referral in self.referrals) if account else 0


def _team_emails(referral: Json) -> set[str]:
    team = referral.get("team")
    members = team if isinstance(team, list) else []
    return {str(member.get("email")).casefold() for member in members if isinstance(member, dict)}


def read_probe(reply: Reply, token: str) -> Probe:
    """Read an answer to a list call. Raises `bodies.Unreadable`."""
    referrals, _ = json_bodies.parse_page(reply.body)
    claims = token_claims(token)
    mfa = _mfa_compliance(reply)
    if mfa is None and isinstance(claims.get("amr"), list):
        mfa = "mfa" in claims["amr"]
    account = (
        _text_claim(claims, "upn") or _text_claim(claims, "unique_name") or _text_claim(claims, "preferred_username")
    )
    return Probe(referrals, mfa, _text_claim(claims, "tid"), account, _server_time(reply))


def token_claims(token: str) -> Mapping[str, Any]:
    """What an access token says of itself, unverified: for a person to read, never to decide on; empty if opaque."""
    try:
        part = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return said if isinstance(said, dict) else {}


def _mfa_compliance(reply: Reply) -> bool | None:
    told = reply.headers.get(_MFA_FIELD)
    if told is None:
        body = json_bodies.parse_object(reply.body)
        told = next((value for name, value in body.items() if name.lower() == _MFA_FIELD), None)
    return None if told is None else str(told).strip().lower() == "true"


def _text_claim(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _server_time(reply: Reply) -> datetime | None:
    try:
        moment = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
