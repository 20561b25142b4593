"""Ask the org which languages it has on, so that a deployment brings translated labels in these.

Source: docs/reference/salesforce.md#translations-in-metadata.
"""

from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Rejected


def languages_on(salesforce: SalesforceClient) -> frozenset[str] | None:
    """Return the codes of the languages that the Translation Workbench shows to users; None if it may not be read."""
    try:
        records = salesforce.query("SELECT Language, IsActive FROM Translation").pages[0].records
    except Rejected:
        return None
    return frozenset(str(record["Language"]) for record in records if record["IsActive"])
