"""Check that new deals can declare the customer's consent, before the first of them is held or refused.

Source: docs/protocol.md#the-customers-consent.
"""

from shared.doctor.finding import CORRECT_SETTING, Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_field_checks import DEPLOY


def check_consents(installation: Installation) -> Verdict:
    """Check that the settings declare the consent that Partner Center demands, and that the org has the checkbox."""
    settings = installation.settings
    if not settings.partner_center.consent_to_share_with_others:
        found = "PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS is false: Partner Center refuses every new referral"
        return failed(found, CORRECT_SETTING)
    if settings.sync.customer_consent != "checkbox":
        return ok("the settings declare the customer's consent")
    column = installation.app.translation.file.ours.consents
    if column.lower() not in installation.visible_fields("Opportunity"):
        found = f"CUSTOMER_CONSENT is checkbox, but {column} does not exist, or the user may not see it"
        return failed(f"{found}: every new deal is held", DEPLOY)
    return ok(f"{column} decides for each new deal")
