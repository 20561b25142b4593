"""Check a new consent before it is stored: both APIs, MFA and role, each with its own verdict."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from shared.app import App
from shared.clients.partner_center.connection_probe import Probe
from shared.clients.partner_center.consent import Consent, GrantedTokens
from shared.clients.partner_center.error_mapping import MFA_CODE
from shared.clients.partner_center.referrals import open_referrals
from shared.doctor.finding import Result, Verdict, documents_of, failed, ok, skipped, verdict_of_error
from shared.doctor.partner_center_checks import MFA_UNKNOWN, ROLE_REMEDY, sees_only_own_deals
from shared.foundation.errors import MfaRequired, SignInFailed

REFERRALS, EVENTS, MFA, ROLE = "referrals API", "events API", "multi-factor authentication", "referral role"
_MFA_REMEDY = (
    "Sign in again as the integration account, with multi-factor authentication. Require it by conditional access."
)
_NOT_LISTED = "the referrals could not be listed"


@dataclass(slots=True)
class ConsentCheck:
    """The verdicts by name, the newest refresh token, and the account as far as the token names it."""

    refresh_token: str = field(repr=False)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    account: str | None = field(default=None, repr=False)

    @property
    def has_failed(self) -> bool:
        """Whether any check has failed."""
        return any(verdict.result is Result.FAILED for verdict in self.verdicts.values())

    def as_document(self) -> Mapping[str, object]:
        """Return the verdicts for the JSON output."""
        return {"ok": not self.has_failed, "checks": documents_of(self.verdicts)}


def check_consent(app: App, consent: Consent, granted: GrantedTokens) -> ConsentCheck:
    """Run all checks. Raises Retryable for a temporary problem: then the whole command must be repeated."""
    settings, check = app.settings.partner_center, ConsentCheck(granted.refresh_token)
    _redeem(check, EVENTS, lambda: consent.redeem_refresh_token(check.refresh_token, settings.webhooks_scope))
    access = _redeem(check, REFERRALS, lambda: consent.redeem_refresh_token(check.refresh_token, settings.scope))
    if access is None:
        check.verdicts |= {MFA: skipped(_NOT_LISTED), ROLE: skipped(_NOT_LISTED)}
        return check
    bundle, limit = app.settings.vault.ca_bundle, app.settings.sync.deadline_seconds
    with closing(open_referrals(settings.url, lambda _: access, ca_bundle=bundle, deadline=limit)) as referrals:
        _check_mfa_and_role(check, referrals.probe_connection)
    return check


def _redeem(check: ConsentCheck, name: str, redeem: Callable[[], GrantedTokens]) -> str | None:
    """Return an access token, or None if it is refused. The check keeps the newest refresh token."""
    try:
        granted = redeem()
    except SignInFailed as error:
        check.verdicts[name] = verdict_of_error(error)
        return None
    check.refresh_token = granted.refresh_token
    check.verdicts[name] = ok("the refresh token gives an access token for it")
    return granted.access_token


def _check_mfa_and_role(check: ConsentCheck, probe_referrals: Callable[[], Probe]) -> None:
    try:
        probe = probe_referrals()
    except MfaRequired as error:
        check.verdicts |= {
            MFA: failed(f"Partner Center requires it ({error.code})", _MFA_REMEDY),
            ROLE: skipped(_NOT_LISTED),
        }
        return
    except SignInFailed as error:
        check.verdicts |= {MFA: skipped(_NOT_LISTED), ROLE: verdict_of_error(error)}
        return
    check.account = probe.account
    check.verdicts |= {MFA: _mfa_verdict(probe), ROLE: _role_verdict(probe)}


def _mfa_verdict(probe: Probe) -> Verdict:
    if probe.mfa is None:
        return skipped(MFA_UNKNOWN)
    return ok("the token proves it") if probe.mfa else failed(f"the token does not prove it ({MFA_CODE})", _MFA_REMEDY)


def _role_verdict(probe: Probe) -> Verdict:
    count = len(probe.referrals)
    if not count or probe.account is None:
        return skipped("the list works, but does not show yet whether the account sees other people's deals")
    if probe.count_without_account:
        return ok(f"the account sees {count} referrals, some of them without the account in the team")
    return failed(sees_only_own_deals(count), ROLE_REMEDY)
