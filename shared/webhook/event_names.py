"""The names of the events that Partner Center sends (reference/partner-center.md 11.2)."""

from enum import StrEnum


class EventName(StrEnum):
    """The events that name a referral."""

    CREATED = "referral-created"
    UPDATED = "referral-updated"
    RELATED_CREATED = "related-referral-created"
    RELATED_UPDATED = "related-referral-updated"


TEST_CREATED = "test-created"
"""The event that somebody asks for to see whether events arrive (reference/partner-center.md 11.5)."""

OTHER_EVENTS = frozenset(
    {
        "azure-fraud-event-detected",
        "dap-admin-relationship-approved",
        "dap-admin-relationship-terminated",
        "dap-admin-relationship-terminated-by-microsoft",
        "granular-admin-access-assignment-activated",
        "granular-admin-access-assignment-created",
        "granular-admin-access-assignment-deleted",
        "granular-admin-access-assignment-updated",
        "granular-admin-relationship-activated",
        "granular-admin-relationship-approved",
        "granular-admin-relationship-expired",
        "granular-admin-relationship-terminated",
        "invoice-ready",
        "new-commerce-migration-created",
        "new-commerce-migration-completed",
        "new-commerce-migration-failed",
        "new-commerce-migration-schedule-failed",
        "reseller-relationship-accepted-by-customer",
        "subscription-updated",
        "usagerecords-thresholdexceeded",
    }
)
