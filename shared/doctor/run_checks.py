"""The examination: every check in order, each on its own; one that rests on a failed one is skipped, and says so."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shared.doctor import (
    clock_checks,
    local_checks,
    partner_center_checks,
    salesforce_checks,
    salesforce_field_checks,
    webhook_checks,
)
from shared.doctor.finding import Result, Verdict, of_error, skipped
from shared.doctor.installation import Patient

BY_HAND = (
    "PARTNER_CENTER_LOCATION is the valid PartnerID (MPN id) of a location of yours, not of the whole company.",
    "The solutions that sellers name are co-sell ready in Partner Center.",
    "The partner account and the solutions are under one tenant, PARTNER_CENTER_TENANT_ID.",
    "The integration user has View All on Opportunity, Account and Contact, so that sharing hides no record.",
)
"""What no call can tell: a person looks."""


class Item(Struct, frozen=True):
    """One check: its name, what must be ok before it makes sense, and the look itself."""

    name: str
    needs: tuple[str, ...]
    look: Callable[[Patient], Verdict]


_SIGNED_IN = "Partner Center sign-in"
_LISTED = "referral role"
_IN_SALESFORCE = "Salesforce sign-in"
ITEMS: tuple[Item, ...] = (
    Item("settings", (), local_checks.settings),
    Item("mapping file", ("settings",), local_checks.mapping),
    Item("vault", ("mapping file",), local_checks.vault),
    Item("Salesforce key", ("vault",), local_checks.salesforce_key),
    Item("Partner Center credential", ("vault",), local_checks.credential),
    Item("refresh token", ("vault",), local_checks.refresh_token),
    Item("storage", ("mapping file",), local_checks.storage),
    Item(_SIGNED_IN, ("Partner Center credential",), partner_center_checks.sign_in),
    Item("MFA", (_SIGNED_IN,), partner_center_checks.mfa),
    Item(_LISTED, (_SIGNED_IN,), partner_center_checks.role),
    Item("tenant", (_SIGNED_IN,), partner_center_checks.tenant),
    Item("organisation id", (_SIGNED_IN,), partner_center_checks.organization),
    Item("partner location", (_SIGNED_IN,), partner_center_checks.location),
    Item("Partner Center clock", (_SIGNED_IN,), clock_checks.partner_center),
    Item("webhook registration", (_SIGNED_IN,), webhook_checks.registration),
    Item(_IN_SALESFORCE, ("Salesforce key",), salesforce_checks.sign_in),
    Item("Salesforce user", (_IN_SALESFORCE,), salesforce_checks.user),
    Item("Salesforce permissions", (_IN_SALESFORCE,), salesforce_checks.permissions),
    Item("custom fields", (_IN_SALESFORCE,), salesforce_field_checks.own),
    Item("mapped fields", (_IN_SALESFORCE,), salesforce_field_checks.mapped),
    Item("currency field", (_IN_SALESFORCE,), salesforce_field_checks.currency),
    Item("stages", (_IN_SALESFORCE,), salesforce_checks.stages),
    Item("conditional update", (_IN_SALESFORCE, "custom fields"), salesforce_checks.conditional_update),
    Item("Salesforce API budget", (_IN_SALESFORCE,), salesforce_checks.budget),
    Item("Salesforce clock", (_IN_SALESFORCE,), clock_checks.salesforce),
)


class Check(Struct, frozen=True):
    """A check's name and what it says."""

    name: str
    verdict: Verdict

    def document(self) -> dict[str, str]:
        """For a script."""
        return {
            "name": self.name,
            "result": str(self.verdict.result),
            "found": self.verdict.found,
            "remedy": self.verdict.remedy,
        }


def examine(
    patient: Patient, told: Callable[[int, str], None] = lambda _done, _name: None, items: Sequence[Item] = ITEMS
) -> list[Check]:
    """Look at everything; nothing that a check raises ends the examination. `told` hears of the progress."""
    verdicts: dict[str, Verdict] = {}
    for number, item in enumerate(items):
        told(number, item.name)
        verdicts[item.name] = _verdict(item, patient, verdicts)
    return [Check(name, verdict) for name, verdict in verdicts.items()]


def _verdict(item: Item, patient: Patient, known: Mapping[str, Verdict]) -> Verdict:
    unmet = next((need for need in item.needs if known[need].result is not Result.OK), None)
    if unmet is not None:
        return skipped(f"rests on: {unmet}")
    try:
        return item.look(patient)
    except Exception as error:  # noqa: BLE001 - a broken check must not hide what the others found
        return of_error(error)
