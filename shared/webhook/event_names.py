"""List the names of the events that Partner Center sends (docs/reference/partner-center.md#event-names)."""

from enum import StrEnum


class EventName(StrEnum):
    """The events that name a referral."""

    CREATED = "referral-created"
    UPDATED = "referral-updated"
    RELATED_CREATED = "related-referral-created"
    RELATED_UPDATED = "related-referral-updated"

    @property
    def is_related(self) -> bool:
        """Whether the event is about another party's referral in an engagement of ours; it may name either."""
        return self in (EventName.RELATED_CREATED, EventName.RELATED_UPDATED)


TEST_CREATED = "test-created"
"""The event that a person requests to see whether events arrive (docs/reference/partner-center.md#test-events)."""

OTHER_EVENTS = frozenset(  # events of other products, sent through the same registration
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
        "indirect-reseller-relationship-accepted-by-customer",
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
