"""Looks up what Salesforce already has for a referral, in one Composite call."""

from collections.abc import Sequence

from msgspec import Struct

from shared.domain.deal import Company, Deal, Person, Side
from shared.domain.records import Referral
from shared.mapping.translation import Translation
from shared.sync.context import Context
from shared.sync.ports import Json, Page, text_literal
from shared.sync.retry.side_health import pausing_on_failure


class Found(Struct, frozen=True):
    """Opportunities (deleted ones included), accounts and contacts that match a referral."""

    opportunities: Sequence[Json]
    accounts: Sequence[Json]
    contacts: Sequence[Json]

    @property
    def account_id(self) -> str | None:
        """The one account that matches; None for several or none, and then a new account is created."""
        return str(self.accounts[0]["Id"]) if len(self.accounts) == 1 else None

    @property
    def contact_id(self) -> str | None:
        """The one contact that matches."""
        return str(self.contacts[0]["Id"]) if len(self.contacts) == 1 else None


def look_up(ctx: Context, referral: Referral, named: str | None, company: Company) -> Found:
    """Find opportunity, account and contact of a referral; `named` is the opportunity that the referral names."""
    person = first_contact(referral.deal)
    queries = _look_up_queries(ctx.translation, referral.id, named, company, person.email if person else None)
    with pausing_on_failure(ctx, Side.SALESFORCE):
        answer = ctx.salesforce.query(*queries.values(), deleted=True)
    pages: dict[str, Page] = dict(zip(queries, answer.pages, strict=True))
    contacts = pages["contacts"].records if "contacts" in pages else ()
    return Found(pages["opportunities"].records, pages["accounts"].records, contacts)


def first_contact(deal: Deal) -> Person | None:
    """The first customer contact of a deal."""
    people = deal.get("contacts")
    first = people[0] if isinstance(people, tuple) and people else None
    return first if isinstance(first, Person) else None


def _look_up_queries(
    translation: Translation, referral_id: str, named: str | None, company: Company, email: str | None
) -> dict[str, str]:
    """SOQL by name. The literals escape what comes from outside."""
    own = translation.file.ours
    by_id = f" OR Id = {text_literal(named)}" if named else ""
    country = translation.country_column
    queries = {
        "opportunities": f"SELECT Id, IsDeleted FROM Opportunity WHERE {own.identifier} = {text_literal(referral_id)}{by_id}",  # noqa: S608, E501 - literals escape
        "accounts": f"SELECT Id FROM Account WHERE Name = {text_literal(company.name)} "  # noqa: S608 - literals escape
        f"AND {country} = {text_literal(company.country)} AND IsDeleted = false LIMIT 2",
    }
    if email:
        match = f"Email = {text_literal(email)} AND IsDeleted = false"
        queries["contacts"] = f"SELECT Id FROM Contact WHERE {match} LIMIT 2"  # noqa: S608 - literals escape
    return queries
