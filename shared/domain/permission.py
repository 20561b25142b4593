"""Whether a deal may be sent, shown to Microsoft, or sent with a request for help: what the settings ask of it. Pure.

One Partner Center tenant serves every environment, and nothing can be deleted there. So only production shares deals
with Microsoft, or an environment whose settings say that the tenant is a test tenant.

Sources: docs/protocol.md#an-environment-touches-only-its-own, docs/protocol.md#the-customers-consent.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import PRIVATE, VISIBILITY, Status, Value
from shared.domain.help_request import HELP
from shared.domain.latches import Latch, forbidding_latch
from shared.domain.policy import Policy
from shared.domain.sentences import LineDirection, cause
from shared.domain.sharing import LABEL_OF_HELP, LABEL_OF_VISIBLE, DealType, Sharing

STAYS_VISIBLE = Latch("stays_visible")
"""Why a visible deal cannot become private."""
NOT_FROM_STAGING = Latch("not_from_staging")
"""Why this environment lets Microsoft see no deal, and asks for no help."""
CONSENTS = "consents"
"""The field of the checkbox that says whether the customer has consented."""


def refusals_to_create(sharing: Sharing, policy: Policy) -> Mapping[str, Cause]:
    """Why a new deal may not be sent as its seller wants it, by field; empty if it may."""
    found = {} if sharing.deal_type is DealType.PRIVATE else refusal_to_share(policy)
    return {**found, **refusal_without_consent(sharing, policy)}


def refusals_to_ask(sharing: Sharing, policy: Policy) -> Mapping[str, Cause]:
    """Why Microsoft may not be asked for help, by field; empty if it may. A request declares the consents again."""
    lacking = refusal_without_consent(sharing, policy)
    if lacking and sharing.consents is not None:
        lacking = {CONSENTS: cause("help_without_consent", CONSENTS)}
    found = {} if policy.may_share else {HELP: cause("help_not_from_staging", HELP)}
    return {**found, **lacking, **(newly_shared(sharing, policy) if policy.unapproved else {})}


def newly_shared(sharing: Sharing, policy: Policy) -> dict[str, Cause]:
    """Why a deal may not be shared from columns that nobody has approved, by field; empty if they are approved."""
    labels = {VISIBILITY: LABEL_OF_VISIBLE, **({HELP: LABEL_OF_HELP} if sharing.help else {})}
    held = (name for name in labels if name in policy.unapproved)
    return {name: cause("newly_sent", name, label=labels[name]) for name in held}


def refusal_to_share(policy: Policy) -> dict[str, Cause]:
    """Why this environment shares no deal with Microsoft, by field; empty if it does."""
    return {} if policy.may_share else {VISIBILITY: cause(NOT_FROM_STAGING.code, VISIBILITY)}


def refusal_without_consent(sharing: Sharing, policy: Policy) -> dict[str, Cause]:
    """Why a deal lacks the customer's consent, by field; empty if it has it, or nobody asks for it."""
    if not policy.needs_consent or sharing.consents:
        return {}
    return {CONSENTS: cause("no_consent" if sharing.consents is not None else "no_consents_field", CONSENTS)}


def visibility_latch(current: Status | None, value: Value | None, policy: Policy) -> Latch | None:
    """The latch that forbids to write the visibility to a referral whose status is `current`; None if it may be."""
    if value == PRIVATE:
        return STAYS_VISIBLE
    return forbidding_latch(current, value) or (None if policy.may_share else NOT_FROM_STAGING)


def withdrawn_consent_lines(
    sharing: Sharing, status: Status | None, policy: Policy, now: datetime
) -> Mapping[str, Line]:
    """The line of an open deal that was sent with a consent which was withdrawn since, by the key to report it."""
    is_withdrawn = policy.needs_consent and sharing.consents is False
    if not is_withdrawn or (status is not None and status.is_final):
        return {}
    return {"consent_withdrawn": Line(now, "consent_withdrawn", LineDirection.NOTE, None, CONSENTS)}
