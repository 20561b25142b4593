"""Define the table `[lead]` of the mapping file: the columns of a Lead that hold what a lead of Partner Center says.

Source: docs/mapping.md#leads.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from shared.domain.deal import Company, Person, Status
from shared.domain.leads import LeadFacts, LeadValues
from shared.mapping.field_base import MappingTable
from shared.mapping.new_records import DefaultValue
from shared.mapping.paths import Json, in_referral, normal_text
from shared.mapping.people import MEMBER_KEYS, parts_cut, person_from

LeadColumn = Annotated[
    str, Field(pattern=r"^[A-Za-z]\w*$", description="a column of the lead, such as LeadSource or Campaign__c")
]
OptionalColumn = Annotated[
    str, Field(pattern=r"^([A-Za-z]\w*)?$", description='a column of the lead, such as LeadSource, or "" for none')
]
StandIn = Annotated[str, Field(min_length=1, max_length=80)]

LEAD, LAST_NAME, COMPANY = "Lead", "LastName", "Company"
DEMANDED = (LAST_NAME, COMPANY)
"""The columns without which Salesforce makes no lead."""
PERSON_COLUMNS = {
    "FirstName": "first_name", LAST_NAME: "last_name", "Email": "email", "Phone": "phone", "Title": "title",
}  # fmt: skip
ADDRESS_COLUMNS = (COMPANY, "Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")
"""The columns of the customer."""
_LABELS = {
    "FirstName": "First Name", LAST_NAME: "Last Name", "LeadSource": "Lead Source", "PostalCode": "Zip/Postal Code",
    "CountryCode": "Country", "StateCode": "State/Province", "State": "State/Province",
}  # fmt: skip
_TEXT, _DESCRIPTION = 255, 32_000
"""The characters that the columns hold. A longer text is cut before it is compared."""


class LeadTable(MappingTable):
    """The columns of the connector, those of what a customer asks for, and the texts that stand in for what is missing.

    What has no column of its own stands in the description.
    """

    identifier: LeadColumn = "Referral_Identifier__c"
    link: OptionalColumn = "Referral_Link__c"
    audit: OptionalColumn = "Audit__c"
    source: OptionalColumn = "LeadSource"
    requested_action: OptionalColumn = ""
    solutions: OptionalColumn = ""
    name: OptionalColumn = ""
    description: OptionalColumn = "Description"
    default_last_name: StandIn = "[not provided]"
    default_company: StandIn = "[not provided]"
    defaults: Mapping[str, DefaultValue] = Field({}, description='a table of columns, such as { Region__c = "EMEA" }')

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of a lead that are written, apart from its address."""
        own = (self.identifier, self.link, self.audit)
        texts = (self.source, self.requested_action, self.solutions, self.name, self.description)
        return tuple(filter(None, (*own, *PERSON_COLUMNS, COMPANY, *texts)))

    def values(self, facts: LeadFacts, company: Company | None, address: Mapping[str, str], status: str) -> LeadValues:
        """Return what the record is to hold; `address` has the columns of the company's address."""
        person = facts.people[0] if facts.people else None
        values: dict[str, str | None] = {
            column: (getattr(person, part) or None) if person else None for column, part in PERSON_COLUMNS.items()
        }
        values[COMPANY] = company.name if company else None
        values |= address
        texts = self._texts(facts)
        cut = {column for column, part in {**PERSON_COLUMNS, COMPANY: COMPANY}.items() if part in facts.cut}
        whole = {**texts, self.description: "\n".join(self._description(facts, texts))}
        for column, text in whole.items():
            length = _DESCRIPTION if column == self.description else _TEXT
            if column:
                values[column] = normal_text(text, length)
                cut |= {column} if len(normal_text(text) or "") > length else set()
        return self._completed(values, status, frozenset(cut))

    def _texts(self, facts: LeadFacts) -> dict[str, str | None]:
        return {
            self.source: facts.source,
            self.requested_action: facts.requested_action,
            self.solutions: "; ".join(facts.solutions) or None,
            self.name: facts.name,
        }

    def _description(self, facts: LeadFacts, texts: Mapping[str, str | None]) -> Iterator[str]:
        """The lines of what has no column of its own."""
        listed = (
            (self.name, "Lead", facts.name),
            (self.source, "Source", facts.source),
            (self.requested_action, "Requested", facts.requested_action),
            (self.solutions, "Solutions", "; ".join(facts.solutions)),
        )
        yield from (f"{label}: {text}" for column, label, text in listed if text and not (column and texts[column]))
        yield from (f"Contact: {_contact_line(person)}" for person in facts.people[1:])
        if facts.notes:
            yield facts.notes

    def _completed(self, values: dict[str, str | None], status: str, cut: frozenset[str]) -> LeadValues:
        stand_ins = {LAST_NAME: self.default_last_name, COMPANY: self.default_company}
        missing = frozenset(column for column in stand_ins if values[column] is None)
        whole = {**values, **{column: stand_ins[column] for column in missing}}
        return LeadValues(whole, status, _LABELS, missing, cut)


def facts_of_lead(referral: Json) -> LeadFacts:
    """Return what the representation of a lead says."""
    listed = in_referral(referral, "/customerProfile/team")
    read = [(person_from(member, MEMBER_KEYS), parts_cut(member, MEMBER_KEYS)) for member in _objects(listed)]
    people = [(person, cut) for person, cut in read if person]
    company = normal_text(in_referral(referral, "/customerProfile/name")) or ""
    cut = (people[0][1] if people else frozenset()) | ({COMPANY} if len(company) > _TEXT else set())
    solutions = (_solution_text(each) for each in _objects(in_referral(referral, "/details/requirements/solutions")))
    return LeadFacts(
        normal_text(referral.get("name")),
        tuple(person for person, _ in people),
        normal_text(referral.get("referralSource")),
        normal_text(referral.get("callToAction")),
        tuple(text for text in solutions if text),
        normal_text(in_referral(referral, "/details/notes")),
        frozenset(cut),
    )


def status_text(status: Status | None) -> str:
    """Return the status of a lead as people read it; portal and API may name further sub-stages."""
    if status is None or status.substatus == "None":
        return status.status if status else ""
    return f"{status.status} ({status.substatus})"


def lead_address(account_values: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of a lead's address, from those of a new account, which have a prefix."""
    return {
        column.removeprefix("Billing"): value
        for column, value in account_values.items()
        if column.startswith("Billing")
    }


def _objects(listed: object) -> list[dict[str, object]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _solution_text(solution: Mapping[str, object]) -> str | None:
    name, key = normal_text(solution.get("name")), normal_text(solution.get("id"))
    return f"{name} ({key})" if name and key else name or key


def _contact_line(person: Person) -> str:
    return ", ".join(filter(None, (str(person), person.title, person.email, person.phone)))
