"""The object of the Salesforce package that shows the deals which cannot be made, by the names of its columns."""

OBJECT = "Cosell_Inbox__c"
KEY = "Key__c"
"""The external id, which is unique: one deal never has two records."""
COLUMNS = (
    "Name", "Customer__c", "Deal_Value__c", "Deal_Currency__c", "Cause__c", "Code__c", "Refused_Field__c", "Matches__c",
    "Remedy__c", "Answer_By__c", "Link__c",
)  # fmt: skip
