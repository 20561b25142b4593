"""Check that the app's key opens the integration user alone (docs/security.md#salesforce)."""

from shared.clients.salesforce.app_admission import find_admissions
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.foundation.errors import Rejected

_NAMES = "`cosell salesforce deploy --check-only` names them"


def check_app_access(installation: Installation) -> Verdict:
    """Check that each app that admits the integration user admits nobody else.

    Most integration users may not read this. The verdict then says who may.
    """
    try:
        admissions = find_admissions(installation.salesforce, installation.settings.salesforce.username)
    except Rejected:
        return skipped(f"the integration user may not read whom the app admits, as it should be: {_NAMES}")
    if not admissions:
        return skipped(f"the org shows no app that admits the integration user: {_NAMES}")
    wide = [each for each in admissions if not each.is_narrow]
    if not wide:
        return ok("the app admits the integration user alone")
    found = (
        f"the app {each.app} admits {'every user' if each.everybody else f'others too: {len(each.others)}'}"
        for each in wide
    )
    return failed(
        "; ".join(found),
        "Whoever reads the app's key can sign in as each of them. Let the app's policies admit the integration user "
        f"alone: {_NAMES}.",
    )
