"""Define the standard objects whose records belong to Setup: stages, users, groups, currencies, record types, flows.

The sources: docs/reference/salesforce.md#standard-objects and docs/reference/salesforce.md#record-ids.
"""

from dataclasses import replace

from emulators.salesforce.data.field_shapes import (
    checkbox_field,
    new_object,
    phone_field,
    picklist_field,
    reference_field,
    text_field,
)
from emulators.salesforce.data.schema import Field, Kind, SObject

FORECASTS = {
    "Pipeline": "Pipeline", "BestCase": "Best Case", "MostLikely": "Most Likely", "Forecast": "Commit",
    "Closed": "Closed", "Omitted": "Omitted",
}  # fmt: skip


DEFAULT_ACCESS = {name: f"Default{name}Access" for name in ("Opportunity", "Account", "Contact")}
"""The column of the organisation that holds an object's org-wide default."""


def stage_object() -> SObject:
    """The stages of opportunities."""
    return new_object(
        "OpportunityStage",
        "01J",
        text_field("MasterLabel", 255, required=True),
        text_field("ApiName", 255),
        checkbox_field("IsActive", default=True),
        checkbox_field("IsClosed"),
        checkbox_field("IsWon"),
        Field("SortOrder", Kind.INT, "Sort Order"),
        Field("DefaultProbability", Kind.PERCENT, "Default Probability", precision=3),
        picklist_field("ForecastCategory", *FORECASTS),
        picklist_field("ForecastCategoryName", *FORECASTS.values()),
        setup=True,
    )


def user_object() -> SObject:
    """The users."""
    return new_object(
        "User",
        "005",
        text_field("Username", 80, required=True),
        text_field("LastName", 80, required=True),
        text_field("FirstName", 40),
        text_field("Name", 121, writable=False),
        Field("Email", Kind.EMAIL, "Email", 128),
        phone_field("Phone"),
        phone_field("MobilePhone"),
        text_field("Title", 80),
        text_field("Country", 80),
        checkbox_field("IsActive", default=True),
        picklist_field("UserType", "Standard", "AutomatedProcess", "CloudIntegrationUser"),
        setup=True,
    )


def group_objects() -> tuple[SObject, SObject]:
    """Public groups and their members."""
    group = new_object(
        "Group",
        "00G",
        text_field("Name", 40, required=True),
        text_field("DeveloperName", 80, required=True),
        replace(picklist_field("Type", "Regular", "Queue"), default="Regular"),
        setup=True,
    )
    member = new_object(
        "GroupMember",
        "011",
        reference_field("Group", "Group", required=True, fixed=True, cascade=True),
        reference_field("UserOrGroup", "User", required=True, fixed=True),
        setup=True,
        hard=True,
    )
    group.by_administrators = member.by_administrators = True
    return group, member


def notification_type_object() -> SObject:
    """The types of custom notifications, which a deployment makes."""
    return new_object(
        "CustomNotificationType",
        "0ML",
        text_field("DeveloperName", 80, required=True),
        text_field("CustomNotifTypeName", 80, required=True),
        text_field("MasterLabel", 80, required=True),
        text_field("Description", 255),
        checkbox_field("Desktop"),
        checkbox_field("Mobile"),
        setup=True,
    )


def flow_object() -> SObject:
    """The list of flows, of which each deployed flow is a record."""
    return new_object(
        "FlowDefinitionView",
        "3dd",
        text_field("ApiName", 255, required=True),
        text_field("Label", 255),
        checkbox_field("IsActive"),
        text_field("ActiveVersionId", 18),
        text_field("LatestVersionId", 18),
        setup=True,
    )


def organization_object() -> SObject:
    """The organisation, which has one record."""
    return new_object(
        "Organization",
        "00D",
        text_field("Name", 80, required=True),
        text_field("InstanceName", 5),
        text_field("OrganizationType", 40),
        text_field("NamespacePrefix", 15),
        text_field("DefaultCurrencyIsoCode", 3),
        *(picklist_field(name, "None", "Read", "Edit") for name in DEFAULT_ACCESS.values()),
        checkbox_field("IsSandbox"),
        Field("TrialExpirationDate", Kind.DATETIME, "Trial Expiration Date"),
        setup=True,
    )


def currency_type_object() -> SObject:
    """The currencies of an org with several."""
    return new_object(
        "CurrencyType",
        "01L",
        text_field("IsoCode", 3, required=True),
        Field("ConversionRate", Kind.DOUBLE, "Conversion Rate", scale=6),
        Field("DecimalPlaces", Kind.INT, "Decimal Places"),
        checkbox_field("IsActive", default=True),
        checkbox_field("IsCorporate"),
        setup=True,
    )


def record_type_object() -> SObject:
    """The object of record types, which only an org with record types shows here."""
    return new_object(
        "RecordType",
        "012",
        text_field("Name", 80, required=True),
        text_field("DeveloperName", 80, required=True),
        text_field("SobjectType", 40, required=True),
        checkbox_field("IsActive", default=True),
        setup=True,
    )
