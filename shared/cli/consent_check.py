"""What a fresh consent is good for, tried before it is stored: both audiences, MFA, role; each on its own."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from shared.app import App
from shared.clients.partner_center.connection_probe import Probe
from shared.clients.partner_center.consent import Consent, Granted
from shared.clients.partner_center.error_mapping import MFA_CODE
from shared.clients.partner_center.referrals import open_referrals
from shared.doctor.finding import Result, Verdict, failed, ok, skipped, verdict_of_error
from shared.foundation.errors import MfaRequired, SignInFailed

REFERRALS, EVENTS, MFA, ROLE = "referrals API", "events API", "multi-factor authentication", "referral role"
_MFA = "Sign in again as the integration account, with multi-factor authentication; require it by conditional access."
_ADMIN = "Give the integration account the role Referrals admin in Partner Center: a Referrals user sees his own only."
_NO_WORD = "neither the service nor the token says whether it proves multi-factor authentication"
_REFUSED = "the referrals could not be listed"


@dataclass(slots=True)
class ConsentCheck:
    """The verdicts by name, the newest refresh token, and whose it is as far as the token says."""

    refresh_token: str = field(repr=False)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    account: str | None = field(default=None, repr=False)

    @property
    def has_failed(self) -> bool:
        """Whether anything is missing."""
        return any(verdict.result is Result.FAILED for verdict in self.verdicts.values())

    def as_document(self) -> Mapping[str, object]:
        """For a script."""
        checks = [
            {"name": name, "result": verdict.result, "found": verdict.found, "remedy": verdict.remedy}
            for name, verdict in self.verdicts.items()
        ]
        return {"ok": not self.has_failed, "checks": checks}


def check_consent(app: App, consent: Consent, granted: Granted) -> ConsentCheck:
    """Try all. Raises what passes by itself: then nothing is known, and the whole is done again."""
    said, trial = app.settings.partner_center, ConsentCheck(granted.refresh_token)
    _redeemed(trial, EVENTS, lambda: consent.redeemed(trial.refresh_token, said.webhooks_scope))
    access = _redeemed(trial, REFERRALS, lambda: consent.redeemed(trial.refresh_token, said.scope))
    if access is None:
        trial.verdicts |= {MFA: skipped(_REFUSED), ROLE: skipped(_REFUSED)}
        return trial
    bundle, limit = app.settings.vault.ca_bundle, app.settings.sync.deadline_seconds
    with closing(open_referrals(said.url, lambda _: access, ca_bundle=bundle, deadline=limit)) as referrals:
        _listed(trial, referrals.probe)
    return trial


def _redeemed(trial: ConsentCheck, name: str, redeem: Callable[[], Granted]) -> str | None:
    """The access token for an audience; the refresh token's successor takes its place."""
    try:
        granted = redeem()
    except SignInFailed as error:
        trial.verdicts[name] = verdict_of_error(error)
        return None
    trial.refresh_token = granted.refresh_token
    trial.verdicts[name] = ok("the refresh token is good for it")
    return granted.access_token


def _listed(trial: ConsentCheck, probe: Callable[[], Probe]) -> None:
    try:
        found = probe()
    except MfaRequired as error:
        trial.verdicts |= {MFA: failed(f"Partner Center asks for it ({error.code})", _MFA), ROLE: skipped(_REFUSED)}
        return
    except SignInFailed as error:
        trial.verdicts |= {MFA: skipped(_REFUSED), ROLE: verdict_of_error(error)}
        return
    trial.account = found.account
    trial.verdicts |= {MFA: _mfa(found), ROLE: _role(found)}


def _mfa(found: Probe) -> Verdict:
    if found.mfa is None:
        return skipped(_NO_WORD)
    return ok("the token proves it") if found.mfa else failed(f"the token does not prove it ({MFA_CODE})", _MFA)


def _role(found: Probe) -> Verdict:
    count = len(found.referrals)
    if not count or found.account is None:
        return skipped("the list works; whether others' deals are seen is not proven yet: cosell doctor looks again")
    if found.of_others:
        return ok(f"{count} referrals seen, also such without the account in the team")
    return failed(f"all of the {count} newest referrals have the account in the team", _ADMIN)
