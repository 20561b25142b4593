"""The questions asked of Salesforce: what changed, and what is there already for a referral. Ids and stamps only."""

from datetime import datetime

from shared.domain.deal import Company
from shared.mapping.translation import STAMPS, Translation
from shared.sync.ports import literal, moment


def changed(translation: Translation, query: str, since: datetime) -> str:
    """One polling query: opportunities that are flagged or linked, by the stamp of `query`, oldest first.

    The filter is on fields that never disappear; the order is by stamp and id, so that a page can be a cursor
    (protocol.md section 8). A semi-join may not stand under OR, so each source of change is a query of its own.
    """
    ours, stamp = translation.file.ours, STAMPS[query]
    select = "SELECT Id, SystemModstamp" if query == "opportunity" else f"SELECT Id, {stamp}"
    return (
        f"{select} FROM Opportunity WHERE ({ours.flag} = true OR {ours.identifier} != null) "
        f"AND {stamp} >= {moment(since)} ORDER BY {stamp} ASC, Id ASC"
    )


def look_ups(
    translation: Translation, referral_id: str, named: str | None, company: Company, email: str | None
) -> dict[str, str]:
    """Queries, by name, that find a referral's opportunity (deleted ones too), account and contact."""
    ours = translation.file.ours
    by_id = f" OR Id = {literal(named)}" if named else ""
    country = translation.country_column
    queries = {
        "opportunities": f"SELECT Id, IsDeleted FROM Opportunity WHERE {ours.identifier} = {literal(referral_id)}{by_id}",  # noqa: S608, E501 - literals escape
        "accounts": f"SELECT Id FROM Account WHERE Name = {literal(company.name)} "  # noqa: S608 - literals escape
        f"AND {country} = {literal(company.country)} AND IsDeleted = false LIMIT 2",
    }
    if email:
        queries["contacts"] = f"SELECT Id FROM Contact WHERE Email = {literal(email)} AND IsDeleted = false LIMIT 2"  # noqa: S608 - literals escape
    return queries
