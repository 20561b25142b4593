"""The paths of a referral that Partner Center's list of changes names. Whether it takes any other is found by trying.

Source: docs/reference/partner-center.md#patch-paths.
"""

from collections.abc import Iterable

PATCHABLE = frozenset(
    (
        "/status", "/substatus", "/statusReason",
        "/details/dealValue", "/details/currency", "/details/closingDateTime", "/details/notes",
        "/details/requirements/solutions", "/details/requirements/solutions/-",
        "/team", "/team/-", "/customerProfile/team", "/customerProfile/team/-",
        "/consent/consentToShareReferralWithMicrosoftSellers",
        "/externalReferenceId", "/campaignId", "/referralProgram", "/salesStage",
    )
)  # fmt: skip


def unlisted(paths: Iterable[str]) -> frozenset[str]:
    """Return those of the paths that the list does not name."""
    return frozenset(paths) - PATCHABLE
