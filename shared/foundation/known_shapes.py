"""Recognise error codes, names of fields and ids of calls, so that no other text from outside comes into the logs.

A service puts into its errors what it likes: `code` and `target` have held an e-mail address. So a log event shows such
a text only if it has a documented shape, and `unknown` in its place otherwise
(docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs). A single word proves nothing, because a name has that
shape too: single words must be in one of the lists below.
"""

import re
from collections.abc import Set as AbstractSet

UNKNOWN = "unknown"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTNER_CENTER_CODES = frozenset(
    {
        "unauthenticated", "unAuthorized", "accessDenied", "invalidRequest", "itemNotFound", "preconditionFailed",
        "resourceModified", "serviceNotAvailable", "generalException", "2055", "800001", "800002", "900420", "900421",
    }
)  # fmt: skip
"""The documented codes. Nested errors may have further codes, on which nothing relies.

Sources: docs/reference/partner-center.md#referral-errors, docs/reference/partner-center.md#webhook-errors.
"""

_SIGN_IN_CODES = _words(
    """
    invalid_grant invalid_client invalid_client_id invalid_request invalid_scope unauthorized_client access_denied
    unsupported_grant_type interaction_required consent_required login_required server_error temporarily_unavailable
    invalid_app_access inactive_user inactive_org rate_limit_exceeded invalid_assertion_type unknown_error
    """
)
_OWN_WORDS = _words(
    """
    ambiguous busy held ignored locked operator poisoned refused paused settling sign_in side_paused waiting
    not_read_back opportunity_kept_changing referral_kept_changing lead_kept_changing just_saved
    Ambiguous Conflict Locked Rejected Throttled Unavailable badETag
    """
)
_CODE_SHAPES = (
    re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"),  # Salesforce: docs/reference/salesforce.md#error-codes
    re.compile(r"(?=.{10})[A-Za-z][a-z0-9]+(?:[A-Z][a-z0-9]+)+"),  # Partner Center's nested codes; our error classes
    re.compile(r"AADSTS\d{4,10}|(?:http)?[1-5]\d\d"),
)
_LONGEST_NAME = 80

_WORDS_OF_A_REFERRAL = _words(
    """
    referral id engagementid name organizationid organizationname lastmodifiedvia lastrunid externalreferenceid
    createddatetime updateddatetime expirationdatetime status substatus statusreason qualification type referralsource
    etag favorite campaignid salesstage quality isspam direction mpnid referralprogram dealsensitivity createdvia tags
    accepteddatetime closeddatetime calltoaction registrationstatus target customerprofile size ismatchingcomplete
    address addressline1 addressline2 city state postalcode country region team ids profiletype value firstname lastname
    phonenumber email title contactpreference locale disablenotifications consent consenttotoshareinfowithothers
    consenttoshareinfowithothers consenttocontact consenttomicrosofttocontactspecificpartners
    consenttosharereferralwithmicrosoftsellers details notes dealvalue currency closingdatetime
    customerrequestedcontact customeraction incentivelevel requirements industries products services offers solutions
    salesplays price quantity publishername solutiontype additionalrequirements iot attributes
    customerlicenseagreementnumber devicecategory silicontype azurecertifieddevice attachservices invitecontext
    assistancerequestcode invitedmpnid invitedby trackinginfo links relatedreferrals self uri method
    account contacts money closing identifier flag help audit registrations
    microsoftmsxid microsoftusfedopportunityid microsoftusfedleadid migratedpscdealid migratedpscpartnerdealid
    """
)
"""Documented properties of a referral, parts of a JSON Patch, and our own names of fields, in lower case.

Source: docs/reference/partner-center.md#referral-fields.
"""
_WORDS_OF_SALESFORCE = _words(
    """
    Opportunity Account Contact OpportunityContactRole OpportunityContactRoles User Owner RecordType Campaign Pricebook2
    Id Name Amount CloseDate CurrencyIsoCode Description StageName Probability Type LeadSource NextStep IsPrivate
    ExpectedRevenue TotalOpportunityQuantity ForecastCategory ForecastCategoryName HasOpportunityLineItem IsClosed IsWon
    IsDeleted AccountId ContactId OwnerId CampaignId Pricebook2Id RecordTypeId OpportunityId ParentId ReportsToId
    ContractId SyncedQuoteId TerritoryId Territory2Id CreatedById CreatedDate LastModifiedById LastModifiedDate
    SystemModstamp FiscalYear FiscalQuarter Fiscal PartnerAccountId AccountNumber AccountSource AnnualRevenue Industry
    NumberOfEmployees Ownership Rating Site Sic SicDesc TickerSymbol Tradestyle YearStarted Website Fax Phone
    DunsNumber NaicsCode NaicsDesc BillingAddress BillingStreet BillingCity BillingState BillingStateCode
    BillingPostalCode BillingCountry BillingCountryCode ShippingAddress ShippingStreet ShippingCity ShippingState
    ShippingStateCode ShippingPostalCode ShippingCountry ShippingCountryCode FirstName LastName MiddleName Suffix
    Salutation Email MobilePhone HomePhone OtherPhone AssistantName AssistantPhone Birthdate Department Title
    MailingAddress MailingStreet MailingCity MailingState MailingStateCode MailingPostalCode MailingCountry
    MailingCountryCode OtherStreet OtherCity OtherState OtherPostalCode OtherCountry Role IsPrimary IsActive
    IsPersonAccount PersonContactId PersonEmail
    """
)
_CUSTOM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_{1,2}[A-Za-z0-9]+)*__(?:c|r|pc|pr|s|mdt|e)")
_CALL_ID = re.compile(r"(?=.*\d)[A-Za-z0-9:+/=-]{16,80}")


def known_code(text: object) -> str | None:
    """An error code as it is, `unknown` for another text, and None for none."""
    if text is None or text == "":
        return None
    code = str(text)
    if code in PARTNER_CENTER_CODES or code in _SIGN_IN_CODES or code in _OWN_WORDS:
        return code
    if len(code) <= _LONGEST_NAME and any(shape.fullmatch(code) for shape in _CODE_SHAPES):
        return code
    return code if code in _own_codes() else UNKNOWN


def known_field(text: object) -> str | None:
    """A path within a referral, a Salesforce column or a field of the mapping as it is; else as `known_code`."""
    if text is None or text == "":
        return None
    name = str(text)
    segments = [part for part in re.split(r"[/.]|\[\d+\]", name) if part and not part.isdecimal()]
    if segments and len(name) <= 2 * _LONGEST_NAME and all(map(_is_known_name, segments)):
        return name
    return UNKNOWN


def known_call_id(text: str | None) -> str | None:
    """An id by which a service names a call; None for any other text."""
    return text if text and _CALL_ID.fullmatch(text) else None


def _is_known_name(name: str) -> bool:
    return (
        name.lower() in _WORDS_OF_A_REFERRAL or name in _WORDS_OF_SALESFORCE or _CUSTOM_NAME.fullmatch(name) is not None
    )


def _own_codes() -> AbstractSet[str]:
    """The codes of our own sentences."""
    from shared.domain.sentences import CAUSES, SENTENCES  # noqa: PLC0415 - late: an event is admitted without them

    return CAUSES.keys() | SENTENCES.keys()
