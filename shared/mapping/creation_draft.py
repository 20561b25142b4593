"""What is about to be created for a referral: which account and contacts are used, and what a duplicate rule changes.

Sources: docs/protocol.md#the-customers-account, docs/protocol.md#contacts-of-an-arrival.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from shared.clients.salesforce.records import Json, Node
from shared.domain.arrival import Arrival, Gap
from shared.domain.arrival_texts import MATCHED_BY
from shared.domain.cause import Cause
from shared.domain.customer_match import Candidate, Customer, best_of, has_number, is_same_person, only_match
from shared.domain.deal import Person
from shared.domain.listed_texts import listed
from shared.domain.sentences import cause
from shared.foundation.errors import Rejected
from shared.mapping.account_columns import AccountColumns
from shared.mapping.company_field import CompanyField
from shared.mapping.field_base import FieldBase
from shared.mapping.known_contacts import age, known_contact
from shared.mapping.owner_choice import without_refused_owner
from shared.mapping.refusals import without_refused
from shared.mapping.schema import MappingFile

DUPLICATES = "DUPLICATES_DETECTED"
HOLD = "hold"
CONTACT_STEP = re.compile("contact([0-9]*)")
_ACCOUNT_PREFIX, _CONTACT_PREFIX, _LEAD_PREFIX = "001", "003", "00Q"


class Draft(Struct, frozen=True):
    """An arrival with its account (None: a new one) and the ids of the contacts that it uses, by person.

    `known` are the contacts with the e-mail address of one of its people. `allowed` are the people whose contact is
    saved although a duplicate rule found similar records. `refused` are columns that a new account does without.
    `row_nodes` are the steps that make the rows of its lists.
    """

    customer: Customer
    arrival: Arrival
    known: Sequence[Json] = ()
    account: Candidate | None = None
    contacts: Mapping[Person, str] = {}
    allowed: frozenset[Person] = frozenset()
    refused: frozenset[str] = frozenset()
    row_nodes: tuple[Node, ...] = ()

    @property
    def account_id(self) -> str | None:
        """The id of the account, if it exists."""
        return self.account.id if self.account else None

    def accepted(self, values: Json) -> Json:
        """Return the values of a new account without those that Salesforce refused."""
        return {column: value for column, value in values.items() if column not in self.refused}

    def told(self, gap: Gap) -> "Draft":
        """The draft whose audit tells one thing more."""
        return replace(self, arrival=replace(self.arrival, gaps=(*self.arrival.gaps, gap)))

    def on(self, account: Candidate | None) -> "Draft":
        """The draft with this account, and with the contacts that are used then."""
        arrival = replace(self.arrival, is_account_new=account is None)
        draft = replace(self, arrival=arrival, account=account, contacts=dict(self._contacts_on(account)))
        if account and account.is_person:
            return _of_person(draft, account)
        return draft if arrival.makes_contacts else _of_known_contacts(draft)

    def person_of(self, step: str) -> Person | None:
        """Return the person whose contact a step of the graph creates."""
        found = CONTACT_STEP.fullmatch(step)
        return self.arrival.people[int(found[1] or 0)] if found else None

    def _contacts_on(self, account: Candidate | None) -> Iterator[tuple[Person, str]]:
        used = set[str]()
        for person in self.arrival.people:
            own = account.contact if account and account.is_person and is_same_person(person, account) else None
            found = own or known_contact(self.known, person, account.id if account else None)
            if found and found not in used:
                used.add(found)
                yield person, found


def draft_of(
    customer: Customer, arrival: Arrival, accounts: Sequence[Candidate], known: Sequence[Json], several: str
) -> Draft:
    """Return the draft with the account that matches, or with the best of several. Raises Rejected to hold the deal."""
    draft = Draft(customer, arrival, known)
    if not accounts:
        return draft.on(None)
    if len(accounts) == 1:
        return _of_no_country(draft.on(accounts[0]), accounts[0])
    if several == HOLD:
        raise Rejected(_held("several_accounts", customer, [account.id for account in accounts]))
    choice = best_of(customer, accounts)
    values = {"count": len(accounts), "trait": MATCHED_BY[choice.trait], "others": listed(choice.others)}
    chosen = draft.on(choice.account).told(Gap("account", cause("account_chosen", "account", **values)))
    return _of_no_country(chosen, choice.account)


def _of_no_country(draft: Draft, account: Candidate) -> Draft:
    """The draft that tells if only the name speaks for the account, because it has no country that is known."""
    if account.country or not draft.customer.company.country or has_number(draft.customer, account):
        return draft
    return draft.told(Gap("account", cause("account_without_country", "account", account=account.name)))


# --- a duplicate rule stops the graph


def matches_to_read(draft: Draft, error: Rejected) -> tuple[str, Sequence[str]] | None:
    """Return the object and the ids of the records that decide what is done; None if a refusal is no such case."""
    if error.cause.code != DUPLICATES or error.step is None:
        return None
    if error.step == "account":
        return "Account", _of_kind(_ACCOUNT_PREFIX, error.cause)
    person = draft.person_of(error.step)
    if person is None or person in draft.allowed:
        return None
    return "Contact", _of_kind(_CONTACT_PREFIX, error.cause) if draft.account else ()


def with_matches(draft: Draft, error: Rejected, records: Sequence[Json], columns: AccountColumns, tries: int) -> Draft:
    """Return the draft that a duplicate rule may accept, from the records that it found. Raises Rejected to hold it."""
    person = draft.person_of(error.step or "")
    if person is None:
        return _with_account_match(draft, [columns.candidate(record) for record in records], error.cause)
    on_account = [each for each in records if each.get("AccountId") == draft.account_id]
    if on_account:
        return _with_contact(draft, person, str(min(on_account, key=age)["Id"]))
    values = {"contact": person, "matches": listed([_named(match) for match in error.cause.matches])}
    told = draft.told(Gap("contacts", cause("contact_allowed", "contacts", **values)))
    return _allowing_all(told) if len(draft.allowed) + 1 >= tries else _allowing(told, person)


def without_cause(
    fields: Mapping[str, FieldBase], file: MappingFile, draft: Draft, error: Rejected, tries: int
) -> Draft:
    """Return the draft without what Salesforce refuses. Raises the error again if the deal cannot do without it."""
    if error.step in {node.name for node in draft.row_nodes}:
        return replace(draft, row_nodes=(), arrival=replace(draft.arrival, rows={}))
    if (other := without_refused_owner(draft.arrival, error)) is not None:
        return replace(draft, arrival=other)
    if error.step is None and draft.allowed:
        return _without_allowed(draft, error.cause)
    customer = next(field for field in fields.values() if isinstance(field, CompanyField))
    if error.step == "account" and customer.dispensable_columns(error.cause.field):
        return _without_part(customer, draft, error)
    return replace(draft, arrival=without_refused(fields, file, draft.arrival, error, tries))


def _without_part(customer: CompanyField, draft: Draft, error: Rejected) -> Draft:
    """Return the draft whose new account does without the part of the address that Salesforce refuses."""
    refusal = error.cause
    columns = customer.dispensable_columns(refusal.field)
    if columns <= draft.refused:
        raise error
    values = {"column": refusal.field, "reason": refusal.reason.rstrip("."), "remedy": refusal.remedy}
    told = draft.told(Gap("account", cause("account_part_refused", refusal.field, **values)))
    return replace(told, refused=draft.refused | columns)


def _with_account_match(draft: Draft, candidates: Sequence[Candidate], refusal: Cause) -> Draft:
    account = only_match(draft.customer, candidates)
    if account is None:
        ids = _of_kind(_ACCOUNT_PREFIX, refusal) or refusal.matches
        raise Rejected(_held("account_candidates", draft.customer, ids))
    values = {"account": account.name}
    return draft.on(account).told(Gap("account", cause("account_taken", "account", **values)))


def _without_allowed(draft: Draft, refusal: Cause) -> Draft:
    """Return the draft without the contacts of whose steps a service may not accept the header."""
    arrival = draft.arrival
    for person in draft.allowed:
        arrival = arrival.without_person(arrival.people.index(person), refusal)
    return replace(draft, arrival=arrival, allowed=frozenset())


def _of_person(draft: Draft, account: Candidate) -> Draft:
    """Leave out the people who would need a new contact: Salesforce allows none below a person account."""
    people = tuple(person for person in draft.arrival.people if person in draft.contacts)
    left_out = [str(person) for person in draft.arrival.people if person not in draft.contacts]
    if not left_out:
        return draft
    values = {"account": account.name, "value": listed(left_out)}
    fewer = replace(draft, arrival=replace(draft.arrival, people=people))
    return fewer.told(Gap("contacts", cause("person_account_contacts", "contacts", **values)))


def _of_known_contacts(draft: Draft) -> Draft:
    """Leave out the people who would need a new contact with an address, which cannot be written."""
    people = tuple(person for person in draft.arrival.people if person in draft.contacts or not person.email)
    left_out = [str(person) for person in draft.arrival.people if person not in people]
    if not left_out:
        return draft
    total = draft.arrival.total_people - len(left_out)  # they are told by name, not counted
    fewer = replace(draft, arrival=replace(draft.arrival, people=people, total_people=total))
    return fewer.told(Gap("contacts", cause("address_fixed", "contacts", value=listed(left_out))))


def _with_contact(draft: Draft, person: Person, contact: str) -> Draft:
    told = draft.told(Gap("contacts", cause("contact_taken", "contacts", contact=person)))
    if contact in draft.contacts.values():  # one contact has one role
        people = tuple(each for each in draft.arrival.people if each != person)
        return replace(told, arrival=replace(told.arrival, people=people))
    return replace(told, contacts={**draft.contacts, person: contact})


def _allowing(draft: Draft, *people: Person) -> Draft:
    return replace(draft, allowed=draft.allowed | frozenset(people))


def _allowing_all(draft: Draft) -> Draft:
    return _allowing(draft, *(person for person in draft.arrival.people if person not in draft.contacts))


def _held(code: str, customer: Customer, ids: Sequence[str]) -> Cause:
    return replace(cause(code, "account", customer=customer.company), matches=tuple(sorted(ids)))


def _of_kind(prefix: str, refusal: Cause) -> tuple[str, ...]:
    return tuple(match for match in refusal.matches if match.startswith(prefix))


def _named(match: str) -> str:
    return f"{match} (lead)" if match.startswith(_LEAD_PREFIX) else match
