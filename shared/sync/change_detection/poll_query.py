"""Builds the SOQL that polls for changed opportunities. It selects ids and stamps only."""

from datetime import datetime

from shared.mapping.translation import STAMPS, Translation
from shared.sync.ports import time_literal


def changed_opportunities_query(translation: Translation, query: str, since: datetime) -> str:
    """One polling query: opportunities that are flagged or linked, by the stamp of `query`, oldest first.

    The filter uses fields that never disappear. The order is by stamp and id, so that a page can be a cursor. A
    semi-join may not stand under OR, so each source of change has its own query (docs/protocol.md#the-salesforce-poll).
    """
    own, stamp = translation.file.ours, STAMPS[query]
    select = "SELECT Id, SystemModstamp" if query == "opportunity" else f"SELECT Id, {stamp}"
    return (
        f"{select} FROM Opportunity WHERE ({own.flag} = true OR {own.identifier} != null) "
        f"AND {stamp} >= {time_literal(since)} ORDER BY {stamp} ASC, Id ASC"
    )
