"""What the connector may write: the oracle's own list, apart from the mapping file.

Source: docs/protocol.md#rule-4-only-what-changed. A path or column that is not here belongs to somebody else.
"""

from collections.abc import Mapping

LISTS: Mapping[str, str] = {
    "/details/requirements/solutions": "id",
    "/customerProfile/team": "email",
    "/team": "email",
    "/details/requirements/additionalRequirements/attributes": "type",
}
"""The lists of a referral that may be changed, each with what tells its members apart."""
SHARING = "/consent/consentToShareReferralWithMicrosoftSellers"
PATHS = frozenset({
    "/name", "/details/dealValue", "/details/currency", "/details/closingDateTime", "/details/notes", "/status",
    "/substatus", "/statusReason", "/salesStage", "/campaignId", "/referralProgram", SHARING, *LISTS,
})  # fmt: skip
"""The paths of a referral that may be changed."""
OF_A_NEW_REFERRAL = frozenset({
    "name", "externalReferenceId", "type", "qualification", "mpnId", "target", "customerProfile", "consent", "details",
    "team", "campaignId", "salesStage", "referralProgram", "status", "substatus", "engagementId", "inviteContext",
})  # fmt: skip
"""What a new referral, and a request for help, may carry."""

FLAG, IDENTIFIER, AUDIT, VISIBLE = (
    "Sync_with_Partner_Center__c", "Referral_Identifier__c", "Audit__c", "Visible_to_Microsoft__c"
)  # fmt: skip
OURS = frozenset({
    IDENTIFIER, AUDIT, "Referral_Link__c", "Sync_Status__c", "Answer_By__c", "Partner_Center_Amount__c",
    "Partner_Center_Currency__c", "Microsoft_Status__c", "Microsoft_CRM_Identifier__c", "Microsoft_Seller__c",
    "Microsoft_Notes__c", "Microsoft_Answer_By__c",
})  # fmt: skip
"""The columns of an opportunity that only the connector writes."""
OF_PEOPLE: Mapping[str, tuple[str, ...]] = {
    **{
        column: (column,)
        for column in (
            "Name", "CloseDate", "Description", "StageName", "Products__c", "Partner_Center_Sales_Stage__c",
            "Marketing_Campaign_Id__c", "Referral_Program__c", "Marketplace_Intent__c", "Solution_Area__c",
            "Solution_Play__c", "Partner_Role__c", "Notes_to_Microsoft__c", "How_can_Microsoft_help__c", VISIBLE,
        )
    },
    "Amount": ("Amount", "CurrencyIsoCode"),
    "CurrencyIsoCode": ("Amount", "CurrencyIsoCode"),
}  # fmt: skip
"""The columns of people that the connector may write, each with the columns that are one value with it."""
OF_A_NEW_OPPORTUNITY = frozenset({FLAG, "AccountId", "OwnerId", "RecordTypeId"})
"""What only a new opportunity may carry beside all these."""
OF_NEW_RECORDS: Mapping[str, frozenset[str]] = {
    "Account": frozenset({
        "Name", "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry", "OwnerId",
        "RecordTypeId", "BillingCountryCode", "BillingStateCode",
    }),
    "Contact": frozenset({"AccountId", "Email", "FirstName", "LastName", "Phone", "Title", "OwnerId"}),
    "OpportunityContactRole": frozenset({"ContactId", "OpportunityId", "IsPrimary"}),
    "OpportunityTeamMember": frozenset({"OpportunityId", "UserId", "OpportunityAccessLevel", "TeamMemberRole"}),
    "Cosell_Solution__c": frozenset({
        "Name", "Solution_Id__c", "Publisher__c", "Solution_Type__c", "Co_sell_Ready__c",
    }),
    "Cosell_Deal_Solution__c": frozenset({"Key__c", "Opportunity__c", "Solution__c"}),
    "Task": frozenset({"Subject", "Description", "WhatId", "OwnerId", "ActivityDate", "Priority", "Status"}),
}  # fmt: skip
"""What a new record of each object may carry. Nothing of these objects is changed later."""
DELETED = frozenset({"OpportunityContactRole", "OpportunityTeamMember", "Cosell_Deal_Solution__c", "Cosell_Inbox__c"})
"""The objects of which records may be deleted."""
INBOX = "Cosell_Inbox__c"
"""The object whose records the connector alone makes, changes and deletes."""
