"""Turn a referral into what is created for it: defaults for what it lacks, and no more contacts than fit.

Source: docs/protocol.md#defaults-of-an-arrival.
"""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import date, timedelta

from shared.domain.arrival import Arrival, Excess, Gap
from shared.domain.creation_values import SOLUTIONS_CUT
from shared.domain.deal import Company, Person, Side
from shared.domain.listed_texts import listed
from shared.domain.member_sets import has_address
from shared.domain.records import Referral
from shared.domain.sentences import cause
from shared.mapping.company_field import ADDRESS_PARTS, CompanyField
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import DateField
from shared.mapping.people_fields import ContactsField

MOST_CONTACTS = 50
"""People that one deal takes over: as many as a referral holds. A graph has 500 steps, and each person needs two.

Sources: docs/reference/partner-center.md#limits-of-one-deal, docs/reference/salesforce.md#composite-graph.
"""


def arrival_of(fields: Mapping[str, FieldBase], referral: Referral, solutions: tuple[int, int], today: date) -> Arrival:
    """Return what is created for a referral that arrives `today`.

    `solutions` is how many of its solution ids fit the text field, and how many it has.
    """
    people = _contacts(fields, referral)
    usable = tuple(person for person in people if _has_usable_address(person))
    reachable = _distinct_by_address(usable)[:MOST_CONTACTS]
    gaps = (*_gaps(fields, referral, today), *_gaps_of_contacts(people, usable))
    fitting, total = solutions
    return Arrival(
        referral.deal.with_values({gap.field: gap.default for gap in gaps if gap.default is not None}),
        reachable,
        len(people),
        gaps,
        (Excess("solutions", SOLUTIONS_CUT, fitting, total),) if fitting < total else (),
    )


def without_fixed(arrival: Arrival, fields: Mapping[str, FieldBase]) -> Arrival:
    """Return the arrival without what the integration user may not see or write; a read-only column is a gap.

    What is hidden is told of each deal, whether it arrives or not.
    """
    for name, field in fields.items():
        if isinstance(field, ContactsField):
            people = tuple(map(field.without_hidden, arrival.people))
            arrival = replace(arrival, people=people, makes_contacts=field.makes_contacts)
        if fixed := ", ".join(sorted(field.read_only_columns)):
            found = cause("read_only_column", fixed, label=field.label, columns=fixed)
            arrival = replace(arrival, gaps=(*arrival.gaps, Gap(name, found)))
        if not _is_taken_over(field):
            arrival = arrival.without_value(name)
    return arrival


def _is_taken_over(field: FieldBase) -> bool:
    """Whether a new record gets the value. Of contacts, each that needs no new record is taken over all the same."""
    if isinstance(field, ContactsField) and not field.makes_contacts:
        return True
    return all(map(field.is_writable, field.needed_columns()))


def _contacts(fields: Mapping[str, FieldBase], referral: Referral) -> tuple[Person, ...]:
    """Return the contacts of the customer, without repetitions."""
    for name, field in fields.items():
        people = referral.deal.get(name)
        if isinstance(field, ContactsField) and isinstance(people, tuple) and field.direction.owns(Side.PARTNER_CENTER):
            return tuple(dict.fromkeys(person for person in people if isinstance(person, Person)))
    return ()


def _has_usable_address(person: Person) -> bool:
    """Whether Salesforce takes the e-mail address by its form. One wrong address would stop the whole graph.

    Salesforce may refuse more: then the graph is sent again.
    """
    return not person.email or has_address(person)


def _gaps_of_contacts(people: tuple[Person, ...], usable: tuple[Person, ...]) -> Iterator[Gap]:
    """One gap for all people whose address has a wrong form, so that many of them do not fill the audit."""
    wrong = [f"{person} ({person.email})" for person in people if person not in usable]
    if wrong:
        yield Gap("contacts", cause("bad_addresses", "contacts", value=listed(wrong)))


def _distinct_by_address(people: tuple[Person, ...]) -> tuple[Person, ...]:
    """Return the first person of each e-mail address, which names a contact, and all people without one."""
    first: dict[object, Person] = {}
    for person in people:
        first.setdefault(person.email.casefold() if person.email else person, person)
    return tuple(first.values())


def _gaps(fields: Mapping[str, FieldBase], referral: Referral, today: date) -> Iterator[Gap]:
    for name, field in fields.items():
        if isinstance(field, CompanyField):
            yield from _gaps_of_customer(name, field, referral)
    closing = fields.get("closing")
    carries_day = isinstance(closing, DateField) and closing.direction.owns(Side.PARTNER_CENTER)
    if isinstance(closing, DateField) and carries_day and referral.deal.get("closing") is None:
        day = today + timedelta(days=closing.default_days)
        code = "unreadable_closing" if "closing" in referral.problems else "no_closing"
        yield Gap("closing", cause(code, closing.referral, value=day), day)


def _gaps_of_customer(name: str, field: CompanyField, referral: Referral) -> Iterator[Gap]:
    company, problem = referral.deal.get(name), referral.problems.get(name)
    if problem is not None:
        values = dict(problem.values or {})
        if "default" in values and field.default_country:
            values["default"] = field.default_country
        yield Gap(name, cause(problem.code, problem.field, **values))
    if isinstance(company, Company) and field.direction.owns(Side.PARTNER_CENTER):
        yield from (Gap(name, found) for found in field.unlisted_parts(company))
    if isinstance(company, Company) and not any(getattr(company, part) for part in ADDRESS_PARTS):
        yield Gap(name, cause("no_address", field.referral.street))
