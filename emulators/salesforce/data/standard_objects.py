"""Define the standard objects of the org, with the fields that co-sell deals use.

The sources: docs/reference/salesforce.md#standard-objects and docs/reference/salesforce.md#record-ids.
"""

from dataclasses import replace

from emulators.salesforce.data.schema import Field, Kind, SObject

FORECASTS = {
    "Pipeline": "Pipeline", "BestCase": "Best Case", "MostLikely": "Most Likely", "Forecast": "Commit",
    "Closed": "Closed", "Omitted": "Omitted",
}  # fmt: skip
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
ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip


def _text_field(name: str, length: int, label: str = "", *, required: bool = False, writable: bool = True) -> Field:
    return Field(name, Kind.STRING, label or name, length, required=required, writable=writable)


def _long_text_field(name: str, length: int) -> Field:
    return Field(name, Kind.TEXTAREA, name, length)


def _checkbox_field(name: str, *, writable: bool = True, default: bool = False) -> Field:
    return Field(name, Kind.BOOLEAN, name, default=default, writable=writable)


def _picklist_field(name: str, *values: str, required: bool = False, writable: bool = True) -> Field:
    pairs = tuple((value, value) for value in values)
    return Field(name, Kind.PICKLIST, name, 255, values=pairs, required=required, writable=writable)


def _phone_field(name: str) -> Field:
    return Field(name, Kind.PHONE, name, 40)


def reference_field(
    relationship: str,
    sobject: str,
    *,
    required: bool = False,
    fixed: bool = False,
    cascade: bool = False,
    writable: bool = True,
) -> Field:
    """A standard lookup, which ends in `Id`."""
    return Field(
        f"{relationship}Id",
        Kind.REFERENCE,
        f"{relationship} ID",
        18,
        refers=sobject,
        relationship=relationship,
        required=required,
        fixed=fixed,
        cascade=cascade,
        writable=writable,
    )


def _system_fields() -> tuple[Field, ...]:
    stamps = (Field(n, Kind.DATETIME, n, writable=False) for n in ("CreatedDate", "LastModifiedDate", "SystemModstamp"))
    return (
        Field("Id", Kind.ID, "Record ID", 18, writable=False),
        _checkbox_field("IsDeleted", writable=False),
        *stamps,
        reference_field("CreatedBy", "User", writable=False),
        reference_field("LastModifiedBy", "User", writable=False),
    )


def _new_object(
    name: str, prefix: str, *fields: Field, plural: str = "", setup: bool = False, hard: bool = False
) -> SObject:
    sobject = SObject(name, prefix, name, plural or f"{name}s", setup=setup, hard_delete=hard)
    sobject.add_fields(*_system_fields(), *fields)
    return sobject


def _address_fields(prefix: str) -> tuple[Field, ...]:
    lengths = {"City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    return (
        Field(f"{prefix}Street", Kind.TEXTAREA, f"{prefix} Street".strip(), 255),
        *(_text_field(prefix + part, length, f"{prefix} {part}".strip()) for part, length in lengths.items()),
    )


def _currency_code_field() -> Field:
    return Field(
        "CurrencyIsoCode",
        Kind.PICKLIST,
        "Currency ISO Code",
        3,
        values_from="CurrencyType",
        restricted=True,
        default="USD",
    )


def _account_object() -> SObject:
    return _new_object(
        "Account",
        "001",
        _text_field("Name", 255, "Account Name", required=True),
        _picklist_field("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Other"),
        _picklist_field(
            "Industry", "Banking", "Education", "Healthcare", "Manufacturing", "Retail", "Technology", "Other"
        ),
        _phone_field("Phone"),
        Field("Website", Kind.URL, "Website", 255),
        Field("NumberOfEmployees", Kind.INT, "Employees", precision=8),
        Field("AnnualRevenue", Kind.CURRENCY, "Annual Revenue", scale=0),
        _long_text_field("Description", 32_000),
        *_address_fields("Billing"),
        *_address_fields("Shipping"),
        reference_field("Owner", "User"),
        reference_field("Parent", "Account"),
    )


def _contact_object() -> SObject:
    return _new_object(
        "Contact",
        "003",
        _text_field("LastName", 80, "Last Name", required=True),
        _text_field("FirstName", 40, "First Name"),
        _text_field("Name", 121, "Full Name", writable=False),
        Field("Email", Kind.EMAIL, "Email", 80),
        _phone_field("Phone"),
        _phone_field("MobilePhone"),
        _text_field("Title", 128),
        _text_field("Department", 80),
        _long_text_field("Description", 32_000),
        *_address_fields("Mailing"),
        reference_field("Account", "Account", cascade=True),
        reference_field("Owner", "User"),
    )


def _opportunity_object() -> SObject:
    stage = Field("StageName", Kind.PICKLIST, "Stage", 255, values_from="OpportunityStage", required=True)
    return _new_object(
        "Opportunity",
        "006",
        _text_field("Name", 120, "Opportunity Name", required=True),
        stage,
        Field("CloseDate", Kind.DATE, "Close Date", required=True),
        Field("Amount", Kind.CURRENCY, "Amount", scale=2),
        Field("Probability", Kind.PERCENT, "Probability (%)", precision=3),
        Field("ExpectedRevenue", Kind.CURRENCY, "Expected Amount", scale=2, writable=False),
        _long_text_field("Description", 32_000),
        _text_field("NextStep", 255, "Next Step"),
        _picklist_field("Type", "Existing Business", "New Business"),
        _picklist_field("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
        _checkbox_field("IsPrivate"),
        _checkbox_field("IsClosed", writable=False),
        _checkbox_field("IsWon", writable=False),
        _picklist_field("ForecastCategory", *FORECASTS, writable=False),
        _picklist_field("ForecastCategoryName", *FORECASTS.values()),
        _checkbox_field("HasOpportunityLineItem", writable=False),
        reference_field("Account", "Account", cascade=True),
        reference_field("Owner", "User"),
        plural="Opportunities",
    )


def _lead_object() -> SObject:
    status = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
    return _new_object(
        "Lead",
        "00Q",
        _text_field("LastName", 80, "Last Name", required=True),
        _text_field("FirstName", 40, "First Name"),
        _text_field("Name", 121, "Full Name", writable=False),
        _text_field("Company", 255, required=True),
        _text_field("Title", 128),
        Field("Email", Kind.EMAIL, "Email", 80),
        _phone_field("Phone"),
        replace(_picklist_field("Status", *status, required=True), default=status[0]),
        _checkbox_field("IsConverted", writable=False),
        *_address_fields(""),
        reference_field("Owner", "User"),
    )


def _contact_role_object() -> SObject:
    return _new_object(
        "OpportunityContactRole",
        "00K",
        reference_field("Opportunity", "Opportunity", required=True, fixed=True, cascade=True),
        reference_field("Contact", "Contact", required=True, cascade=True),
        _picklist_field("Role", *ROLES),
        _checkbox_field("IsPrimary"),
        hard=True,
    )


def _stage_object() -> SObject:
    return _new_object(
        "OpportunityStage",
        "01J",
        _text_field("MasterLabel", 255, required=True),
        _text_field("ApiName", 255),
        _checkbox_field("IsActive", default=True),
        _checkbox_field("IsClosed"),
        _checkbox_field("IsWon"),
        Field("SortOrder", Kind.INT, "Sort Order"),
        Field("DefaultProbability", Kind.PERCENT, "Default Probability", precision=3),
        _picklist_field("ForecastCategory", *FORECASTS),
        _picklist_field("ForecastCategoryName", *FORECASTS.values()),
        setup=True,
    )


def _user_object() -> SObject:
    return _new_object(
        "User",
        "005",
        _text_field("Username", 80, required=True),
        _text_field("LastName", 80, required=True),
        _text_field("FirstName", 40),
        _text_field("Name", 121, writable=False),
        Field("Email", Kind.EMAIL, "Email", 128),
        _phone_field("Phone"),
        _phone_field("MobilePhone"),
        _text_field("Title", 80),
        _checkbox_field("IsActive", default=True),
        _picklist_field("UserType", "Standard", "AutomatedProcess", "CloudIntegrationUser"),
        setup=True,
    )


def _group_objects() -> tuple[SObject, SObject]:
    """Public groups and their members."""
    group = _new_object(
        "Group",
        "00G",
        _text_field("Name", 40, required=True),
        _text_field("DeveloperName", 80, required=True),
        replace(_picklist_field("Type", "Regular", "Queue"), default="Regular"),
        setup=True,
    )
    member = _new_object(
        "GroupMember",
        "011",
        reference_field("Group", "Group", required=True, fixed=True, cascade=True),
        reference_field("UserOrGroup", "User", required=True, fixed=True),
        setup=True,
        hard=True,
    )
    group.by_administrators = member.by_administrators = True
    return group, member


def _flow_object() -> SObject:
    """The list of flows, of which each deployed flow is a record."""
    return _new_object(
        "FlowDefinitionView",
        "3dd",
        _text_field("ApiName", 255, required=True),
        _text_field("Label", 255),
        _checkbox_field("IsActive"),
        setup=True,
    )


def _organization_object() -> SObject:
    return _new_object(
        "Organization",
        "00D",
        _text_field("Name", 80, required=True),
        _text_field("InstanceName", 5),
        _text_field("OrganizationType", 40),
        _text_field("NamespacePrefix", 15),
        _text_field("DefaultCurrencyIsoCode", 3),
        _checkbox_field("IsSandbox"),
        Field("TrialExpirationDate", Kind.DATETIME, "Trial Expiration Date"),
        setup=True,
    )


def _currency_type_object() -> SObject:
    return _new_object(
        "CurrencyType",
        "01L",
        _text_field("IsoCode", 3, required=True),
        Field("ConversionRate", Kind.DOUBLE, "Conversion Rate", scale=6),
        Field("DecimalPlaces", Kind.INT, "Decimal Places"),
        _checkbox_field("IsActive", default=True),
        _checkbox_field("IsCorporate"),
        setup=True,
    )


def record_type_object() -> SObject:
    """The object of record types, which only an org with record types shows here."""
    return _new_object(
        "RecordType",
        "012",
        _text_field("Name", 80, required=True),
        _text_field("DeveloperName", 80, required=True),
        _text_field("SobjectType", 40, required=True),
        _checkbox_field("IsActive", default=True),
        setup=True,
    )


def custom_object(name: str, label: str, plural: str, name_label: str, *, number: int, multi_currency: bool) -> SObject:
    """A custom object without custom fields; `number` counts the custom objects of the org from 0."""
    fields = [_text_field("Name", 80, name_label), reference_field("Owner", "User")]
    if multi_currency:
        fields.append(_currency_code_field())
    sobject = _new_object(name, f"a{number:02d}", *fields, plural=plural)
    sobject.label = label
    return sobject


def standard_objects(*, multi_currency: bool) -> dict[str, SObject]:
    """The objects by name. `multi_currency` adds CurrencyType, and a currency code to the objects of sales."""
    sobjects = [
        _organization_object(),
        _user_object(),
        _account_object(),
        _contact_object(),
        _lead_object(),
        _opportunity_object(),
        _contact_role_object(),
        _stage_object(),
        *_group_objects(),
        _flow_object(),
    ]
    if multi_currency:
        sobjects.append(_currency_type_object())
        for sobject in sobjects:
            if sobject.name in {"Account", "Contact", "Lead", "Opportunity"}:
                sobject.add_fields(_currency_code_field())
    objects = {each.name: each for each in sobjects}
    objects["Account"].children |= {"Contacts": ("Contact", "AccountId"), "Opportunities": ("Opportunity", "AccountId")}
    objects["Opportunity"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "OpportunityId")
    objects["Contact"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "ContactId")
    return objects
