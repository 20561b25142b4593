"""The columns of an account that tell whether it is the customer's, as far as the integration user sees them.

Source: docs/protocol.md#the-customers-account.
"""

from collections.abc import Mapping

from msgspec import Struct

from shared.clients.salesforce.records import Json
from shared.domain.customer_match import Candidate, duns_number, web_domain
from shared.domain.org_shape import OrgShape
from shared.mapping.company_field import PERSON_PATHS, CompanyField
from shared.mapping.owner_choice import OWNER_COLUMNS, user_in
from shared.mapping.paths import normal_text, own_name
from shared.mapping.people import CONTACT_ACCOUNT

_ADDRESS_PARTS = ("street", "city", "postal_code")


class AccountColumns(Struct, frozen=True):
    """The account's own columns by the part of the customer that they hold; `field` knows how to read a country.

    `selects` are read of an account, `contact_selects` of a contact.
    """

    field: CompanyField
    by_part: Mapping[str, str]
    selects: tuple[str, ...]
    contact_selects: tuple[str, ...]

    def candidate(self, record: Json) -> Candidate:
        """Return the account in a record that was read with these columns."""
        parts = {part: normal_text(record.get(column)) for part, column in self.by_part.items()}
        address = {part: parts.get(part) or "" for part in _ADDRESS_PARTS}
        return Candidate(
            str(record["Id"]),
            str(record.get("Name") or ""),
            str(record.get("CreatedDate") or ""),
            self.field.country_of(record) or "",
            **address,
            duns=duns_number(parts.get("duns")),
            domain=web_domain(parts.get("website")),
            is_person=bool(record.get("IsPersonAccount")),
            contact=record.get("PersonContactId"),
            email=str(record.get("PersonEmail") or ""),
            owner=user_in({**(record.get("Owner") or {}), "Id": record["OwnerId"]}) if "OwnerId" in record else None,
        )


def account_columns(field: CompanyField, org: OrgShape | None) -> AccountColumns:
    """Return the columns that this org has. Those that only help are read if they were seen."""
    address = {part: str(getattr(field.salesforce, part)) for part in _ADDRESS_PARTS}
    shown = {part: path for part, path in address.items() if org is None or org.column(path) is not None}
    helpful = {"duns": field.salesforce.duns, "website": field.salesforce.website}
    known = org.columns if org is not None else {}
    shown |= {part: path for part, path in helpful.items() if path.casefold() in known}
    persons = (path for path in PERSON_PATHS if path.casefold() in known)
    by_part = {part: own_name(path) for part, path in shown.items()}
    selects = (
        "Id",
        "Name",
        "CreatedDate",
        *OWNER_COLUMNS,
        *field.country_columns,
        *by_part.values(),
        *map(own_name, persons),
    )
    of_contact = ("Id", "CreatedDate", *(("AccountId",) if CONTACT_ACCOUNT.casefold() in known else ()))
    return AccountColumns(field, by_part, tuple(dict.fromkeys(selects)), of_contact)


def business_type(org: OrgShape | None) -> Mapping[str, str]:
    """Return the record type of a new account, where Salesforce would make it a person otherwise."""
    types = org.record_types.get("Account", ()) if org is not None and org.has_person_accounts else ()
    business = sorted((each for each in types if not each.is_person), key=lambda each: (not each.is_default, each.name))
    return {"RecordTypeId": business[0].id} if business and not business[0].is_default else {}
