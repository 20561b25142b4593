"""The columns of an opportunity that describe a deal by one of a few values, as the package or an admin makes them."""

from tests.unit.sync.harness import Harness

SALES_STAGE, CAMPAIGN, PROGRAM = "Partner_Center_Sales_Stage__c", "Marketing_Campaign_Id__c", "Referral_Program__c"
THREE = (SALES_STAGE, CAMPAIGN, PROGRAM)


def column(name: str, kind: str = "Text", extra: str = "<length>255</length>") -> str:
    """The metadata of a column."""
    return (
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<fullName>{name}</fullName><label>{name.removesuffix('__c')}</label><type>{kind}</type>{extra}</CustomField>"
    )


def has_column(harness: Harness, name: str) -> bool:
    return harness.salesforce.org.model.get("Opportunity").find_field(name) is not None


def make_columns(harness: Harness, *names: str) -> None:
    """Make the columns that the package of this build lacks, and let the connector know."""
    for name in names:
        if not has_column(harness, name):
            harness.salesforce.make_field("Opportunity", column(name))
    harness.ask_org_again()
