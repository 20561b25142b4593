"""The standard objects of the org, as far as a co-sell deal touches them (reference/salesforce.md 2.15, 2.16)."""

from emulators.salesforce.data.schema import Field, Kind, SObject

FORECASTS = {
    "Pipeline": "Pipeline", "BestCase": "Best Case", "MostLikely": "Most Likely", "Forecast": "Commit",
    "Closed": "Closed", "Omitted": "Omitted",
}  # fmt: skip
# Label, probability, closed, won, forecast category: the ten stages of a new org, and one for deals not yet answered.
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


def _text(name: str, length: int, label: str = "", *, required: bool = False, writable: bool = True) -> Field:
    return Field(name, Kind.STRING, label or name, length, required=required, writable=writable)


def _long(name: str, length: int) -> Field:
    return Field(name, Kind.TEXTAREA, name, length)


def _flag(name: str, *, writable: bool = True, default: bool = False) -> Field:
    return Field(name, Kind.BOOLEAN, name, default=default, writable=writable)


def _pick(name: str, *values: str, required: bool = False, writable: bool = True) -> Field:
    pairs = tuple((value, value) for value in values)
    return Field(name, Kind.PICKLIST, name, 255, values=pairs, required=required, writable=writable)


def _phone(name: str) -> Field:
    return Field(name, Kind.PHONE, name, 40)


def _parent(relationship: str, sobject: str, *, required: bool = False, fixed: bool = False, cascade: bool = False,
            writable: bool = True) -> Field:  # fmt: skip
    return Field(
        f"{relationship}Id", Kind.REFERENCE, f"{relationship} ID", 18, refers=sobject, relationship=relationship,
        required=required, fixed=fixed, cascade=cascade, writable=writable,
    )  # fmt: skip


def _system() -> tuple[Field, ...]:
    stamps = (Field(n, Kind.DATETIME, n, writable=False) for n in ("CreatedDate", "LastModifiedDate", "SystemModstamp"))
    return (
        Field("Id", Kind.ID, "Record ID", 18, writable=False),
        _flag("IsDeleted", writable=False),
        *stamps,
        _parent("CreatedBy", "User", writable=False),
        _parent("LastModifiedBy", "User", writable=False),
    )


def _sobject(
    name: str, prefix: str, *fields: Field, plural: str = "", setup: bool = False, hard: bool = False
) -> SObject:
    made = SObject(name, prefix, name, plural or f"{name}s", setup=setup, hard_delete=hard)
    made.add(*_system(), *fields)
    return made


def _address(prefix: str) -> tuple[Field, ...]:
    lengths = {"City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    return (
        Field(f"{prefix}Street", Kind.TEXTAREA, f"{prefix} Street", 255),
        *(_text(prefix + part, length, f"{prefix} {part}") for part, length in lengths.items()),
    )


def _currency_code() -> Field:
    return Field(
        "CurrencyIsoCode", Kind.PICKLIST, "Currency ISO Code", 3, values_from="CurrencyType", restricted=True,
        default="USD",
    )  # fmt: skip


def _account() -> SObject:
    return _sobject(
        "Account", "001",
        _text("Name", 255, "Account Name", required=True),
        _pick("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Other"),
        _pick("Industry", "Banking", "Education", "Healthcare", "Manufacturing", "Retail", "Technology", "Other"),
        _phone("Phone"), Field("Website", Kind.URL, "Website", 255),
        Field("NumberOfEmployees", Kind.INT, "Employees", precision=8),
        Field("AnnualRevenue", Kind.CURRENCY, "Annual Revenue", scale=0),
        _long("Description", 32_000), *_address("Billing"), *_address("Shipping"),
        _parent("Owner", "User"), _parent("Parent", "Account"),
    )  # fmt: skip


def _contact() -> SObject:
    return _sobject(
        "Contact", "003",
        _text("LastName", 80, "Last Name", required=True), _text("FirstName", 40, "First Name"),
        _text("Name", 121, "Full Name", writable=False),
        Field("Email", Kind.EMAIL, "Email", 80), _phone("Phone"), _phone("MobilePhone"),
        _text("Title", 128), _text("Department", 80), _long("Description", 32_000), *_address("Mailing"),
        _parent("Account", "Account", cascade=True), _parent("Owner", "User"),
    )  # fmt: skip


def _opportunity() -> SObject:
    stage = Field("StageName", Kind.PICKLIST, "Stage", 255, values_from="OpportunityStage", required=True)
    return _sobject(
        "Opportunity", "006",
        _text("Name", 120, "Opportunity Name", required=True), stage,
        Field("CloseDate", Kind.DATE, "Close Date", required=True),
        Field("Amount", Kind.CURRENCY, "Amount", scale=2),
        Field("Probability", Kind.PERCENT, "Probability (%)", precision=3),
        Field("ExpectedRevenue", Kind.CURRENCY, "Expected Amount", scale=2, writable=False),
        _long("Description", 32_000), _text("NextStep", 255, "Next Step"),
        _pick("Type", "Existing Business", "New Business"),
        _pick("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
        _flag("IsPrivate"), _flag("IsClosed", writable=False), _flag("IsWon", writable=False),
        _pick("ForecastCategory", *FORECASTS, writable=False), _pick("ForecastCategoryName", *FORECASTS.values()),
        _flag("HasOpportunityLineItem", writable=False),
        _parent("Account", "Account", cascade=True), _parent("Owner", "User"),
        plural="Opportunities",
    )  # fmt: skip


def _role() -> SObject:
    return _sobject(
        "OpportunityContactRole", "00K",
        _parent("Opportunity", "Opportunity", required=True, fixed=True, cascade=True),
        _parent("Contact", "Contact", required=True, cascade=True),
        _pick("Role", *ROLES), _flag("IsPrimary"), hard=True,
    )  # fmt: skip


def _stage() -> SObject:
    return _sobject(
        "OpportunityStage", "01J",
        _text("MasterLabel", 255, required=True), _text("ApiName", 255), _flag("IsActive", default=True),
        _flag("IsClosed"), _flag("IsWon"), Field("SortOrder", Kind.INT, "Sort Order"),
        Field("DefaultProbability", Kind.PERCENT, "Default Probability", precision=3),
        _pick("ForecastCategory", *FORECASTS), _pick("ForecastCategoryName", *FORECASTS.values()),
        setup=True,
    )  # fmt: skip


def _user() -> SObject:
    return _sobject(
        "User", "005",
        _text("Username", 80, required=True), _text("LastName", 80, required=True), _text("FirstName", 40),
        _text("Name", 121, writable=False), Field("Email", Kind.EMAIL, "Email", 128), _phone("Phone"),
        _phone("MobilePhone"), _text("Title", 80), _flag("IsActive", default=True),
        _pick("UserType", "Standard"), setup=True,
    )  # fmt: skip


def _organization() -> SObject:
    return _sobject(
        "Organization", "00D",
        _text("Name", 80, required=True), _text("InstanceName", 5), _text("OrganizationType", 40),
        _text("NamespacePrefix", 15), _text("DefaultCurrencyIsoCode", 3), _flag("IsSandbox"),
        Field("TrialExpirationDate", Kind.DATETIME, "Trial Expiration Date"), setup=True,
    )  # fmt: skip


def _currency() -> SObject:
    return _sobject(
        "CurrencyType", "01L",
        _text("IsoCode", 3, required=True), Field("ConversionRate", Kind.DOUBLE, "Conversion Rate", scale=6),
        Field("DecimalPlaces", Kind.INT, "Decimal Places"), _flag("IsActive", default=True), _flag("IsCorporate"),
        setup=True,
    )  # fmt: skip


def standard_objects(*, multi_currency: bool) -> dict[str, SObject]:
    """The objects by name; with several currencies CurrencyType exists and deals and accounts carry a code."""
    made = [_organization(), _user(), _account(), _contact(), _opportunity(), _role(), _stage()]
    if multi_currency:
        made.append(_currency())
        for sobject in made:
            if sobject.name in {"Account", "Contact", "Opportunity"}:
                sobject.add(_currency_code())
    objects = {each.name: each for each in made}
    objects["Account"].children |= {"Contacts": ("Contact", "AccountId"), "Opportunities": ("Opportunity", "AccountId")}
    objects["Opportunity"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "OpportunityId")
    objects["Contact"].children["OpportunityContactRoles"] = ("OpportunityContactRole", "ContactId")
    return objects
