"""Define the standard objects of the org, with the fields that co-sell deals use.

The sources: docs/reference/salesforce.md#standard-objects and docs/reference/salesforce.md#record-ids.
"""

from dataclasses import replace

from emulators.salesforce.data.access_objects import access_objects
from emulators.salesforce.data.field_shapes import (
    checkbox_field,
    currency_code_field,
    long_text_field,
    new_object,
    phone_field,
    picklist_field,
    reference_field,
    text_field,
)
from emulators.salesforce.data.schema import Field, Kind, SObject
from emulators.salesforce.data.setup_objects import (
    FORECASTS,
    currency_type_object,
    flow_object,
    group_objects,
    notification_type_object,
    organization_object,
    stage_object,
    user_object,
)

# Label, probability, closed, won, forecast category: the ten stages of a new org, and one for unanswered deals.
STAGES: tuple[tuple[str, float, bool, bool, str], ...] = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Qualification", 10, False, False, "Pipeline"),
    ("Needs Analysis", 20, False, False, "Pipeline"),
    ("Value Proposition", 50, False, False, "Pipeline"),
    ("Id. Decision Makers", 60, False, False, "Pipeline"),
    ("Perception Analysis", 70, False, False, "Pipeline"),
    ("Proposal/Price Quote", 75, False, False, "Pipeline"),
    ("Negotiation/Review", 90, False, False, "Pipeline"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
    ("On Hold", 0, False, False, "Omitted"),
)
# ISO code, rate against the corporate currency, decimal places.
CURRENCIES: tuple[tuple[str, float, int], ...] = (
    ("USD", 1.0, 2), ("EUR", 0.92, 2), ("GBP", 0.79, 2), ("CHF", 0.88, 2), ("JPY", 151.0, 0), ("TWD", 32.0, 2),
)  # fmt: skip
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip


def _address_fields(prefix: str) -> tuple[Field, ...]:
    lengths = {"City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    return (
        Field(f"{prefix}Street", Kind.TEXTAREA, f"{prefix} Street".strip(), 255),
        *(text_field(prefix + part, length, f"{prefix} {part}".strip()) for part, length in lengths.items()),
    )


def _account_object() -> SObject:
    return new_object(
        "Account",
        "001",
        text_field("Name", 255, "Account Name", required=True),
        picklist_field("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Other"),
        picklist_field(
            "Industry", "Banking", "Education", "Healthcare", "Manufacturing", "Retail", "Technology", "Other"
        ),
        phone_field("Phone"),
        Field("Website", Kind.URL, "Website", 255),
        Field("NumberOfEmployees", Kind.INT, "Employees", precision=8),
        Field("AnnualRevenue", Kind.CURRENCY, "Annual Revenue", scale=0),
        long_text_field("Description", 32_000),
        *_address_fields("Billing"),
        *_address_fields("Shipping"),
        reference_field("Owner", "User"),
        reference_field("Parent", "Account"),
    )


def _contact_object() -> SObject:
    return new_object(
        "Contact",
        "003",
        text_field("LastName", 80, "Last Name", required=True),
        text_field("FirstName", 40, "First Name"),
        text_field("Name", 121, "Full Name", writable=False),
        Field("Email", Kind.EMAIL, "Email", 80),
        phone_field("Phone"),
        phone_field("MobilePhone"),
        text_field("Title", 128),
        text_field("Department", 80),
        long_text_field("Description", 32_000),
        *_address_fields("Mailing"),
        reference_field("Account", "Account", cascade=True),
        reference_field("Owner", "User"),
    )


def _opportunity_object() -> SObject:
    stage = Field("StageName", Kind.PICKLIST, "Stage", 255, values_from="OpportunityStage", required=True)
    return new_object(
        "Opportunity",
        "006",
        text_field("Name", 120, "Opportunity Name", required=True),
        stage,
        Field("CloseDate", Kind.DATE, "Close Date", required=True),
        Field("Amount", Kind.CURRENCY, "Amount", scale=2),
        Field("Probability", Kind.PERCENT, "Probability (%)", precision=3),
        Field("ExpectedRevenue", Kind.CURRENCY, "Expected Amount", scale=2, writable=False),
        long_text_field("Description", 32_000),
        text_field("NextStep", 255, "Next Step"),
        picklist_field("Type", "Existing Business", "New Business"),
        picklist_field("LeadSource", *LEAD_SOURCES),
        checkbox_field("IsPrivate"),
        checkbox_field("IsClosed", writable=False),
        checkbox_field("IsWon", writable=False),
        picklist_field("ForecastCategory", *FORECASTS, writable=False),
        picklist_field("ForecastCategoryName", *FORECASTS.values()),
        checkbox_field("HasOpportunityLineItem", writable=False),
        reference_field("Account", "Account", cascade=True),
        reference_field("Owner", "User"),
        plural="Opportunities",
    )


def _lead_object() -> SObject:
    status = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
    return new_object(
        "Lead",
        "00Q",
        text_field("LastName", 80, "Last Name", required=True),
        text_field("FirstName", 40, "First Name"),
        text_field("Name", 121, "Full Name", writable=False),
        text_field("Company", 255, required=True),
        text_field("Title", 128),
        Field("Email", Kind.EMAIL, "Email", 80),
        phone_field("Phone"),
        phone_field("MobilePhone"),
        Field("Website", Kind.URL, "Website", 255),
        Field("NumberOfEmployees", Kind.INT, "Employees", precision=8),
        long_text_field("Description", 32_000),
        picklist_field("LeadSource", *LEAD_SOURCES),
        replace(picklist_field("Status", *status, required=True), default=status[0]),
        checkbox_field("IsConverted", writable=False),
        Field("ConvertedDate", Kind.DATE, "Converted Date", writable=False),
        *(reference_field(f"Converted{name}", name, writable=False) for name in ("Account", "Contact", "Opportunity")),
        *_address_fields(""),
        reference_field("Owner", "User"),
    )


def _contact_role_object() -> SObject:
    return new_object(
        "OpportunityContactRole",
        "00K",
        reference_field("Opportunity", "Opportunity", required=True, fixed=True, cascade=True, master=True),
        reference_field("Contact", "Contact", required=True, cascade=True),
        picklist_field("Role", *ROLES),
        checkbox_field("IsPrimary"),
        hard=True,
    )


def _task_object() -> SObject:
    """Tasks about opportunities. In an org, `WhatId` may name records of many objects."""
    return new_object(
        "Task",
        "00T",
        text_field("Subject", 255),
        reference_field("What", "Opportunity"),
        reference_field("Owner", "User"),
        Field("ActivityDate", Kind.DATE, "Due Date Only"),
        replace(
            picklist_field("Status", "Not Started", "In Progress", "Completed", "Deferred", required=True),
            default="Not Started",
        ),
        replace(picklist_field("Priority", "High", "Normal", "Low", required=True), default="Normal"),
        long_text_field("Description", 32_000),
    )


def custom_object(
    name: str,
    label: str,
    plural: str,
    name_field: Field,
    *,
    number: int,
    multi_currency: bool,
    has_owner: bool = True,
) -> SObject:
    """A custom object without custom fields; `number` counts the custom objects of the org from 0.

    The records of a detail have no owner: their parent has one.
    """
    fields = [name_field, *([reference_field("Owner", "User")] if has_owner else [])]
    if multi_currency:
        fields.append(currency_code_field())
    sobject = new_object(name, f"a{number:02d}", *fields, plural=plural)
    sobject.label = label
    return sobject


def standard_objects(*, multi_currency: bool) -> dict[str, SObject]:
    """The objects by name. `multi_currency` adds CurrencyType, and a currency code to the objects of sales."""
    sobjects = [
        organization_object(),
        user_object(),
        _account_object(),
        _contact_object(),
        _lead_object(),
        _opportunity_object(),
        _contact_role_object(),
        _task_object(),
        stage_object(),
        *group_objects(),
        flow_object(),
        *access_objects(),
        notification_type_object(),
    ]
    if multi_currency:
        sobjects.append(currency_type_object())
        for sobject in sobjects:
            if sobject.name in {"Account", "Contact", "Lead", "Opportunity"}:
                sobject.add_fields(currency_code_field())
    objects = {each.name: each for each in sobjects}
    objects["Account"].children |= {"Contacts": ("Contact", "AccountId"), "Opportunities": ("Opportunity", "AccountId")}
    objects["Opportunity"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "OpportunityId")
    objects["Contact"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "ContactId")
    return objects
