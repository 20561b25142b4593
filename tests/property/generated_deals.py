"""Generate deals, and imitate both systems: a record that Salesforce saves, a referral that Partner Center patches.

The values are what a person may type (unusual line ends, many decimals, any script), in normal form.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from shared.domain.deal import Company, Deal, Money, Person, Status, Value
from shared.domain.iso_codes import COUNTRIES, CURRENCIES
from shared.mapping.attribute_field import AttributeField
from shared.mapping.money_field import round_to_cents
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.paths import normal_text
from shared.mapping.sales_stage_field import PERCENTAGES
from shared.mapping.translation import Translation

Json = Mapping[str, Any]
TRANSLATION = Translation(ReferralConstants("1234567"))
TABLE = TRANSLATION.file.stage_table()
READ_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

CHARACTERS = st.one_of(
    st.characters(codec="utf-8", exclude_characters="\0"), st.sampled_from("\r\n\t \u2028\x85;,aé😀")
)


def raw_texts() -> st.SearchStrategy[str]:
    """Text as a person types or pastes it, or as the portal encodes it."""
    encoded = st.sampled_from(["&amp;", "&amp;amp;", "&lt;", "&#39;", "&#x26;", "amp;", "&", "&copy=", "&semi;"])
    pieces = st.lists(st.one_of(encoded, st.text(CHARACTERS, max_size=3)), max_size=5)
    return st.one_of(st.text(CHARACTERS, max_size=12), pieces.map("".join))


def normal_texts(length: int) -> st.SearchStrategy[str]:
    return raw_texts().map(lambda raw: normal_text(raw, length) or "x")


def single_lines(length: int) -> st.SearchStrategy[str]:
    """Text without line ends, which an address of one line keeps unchanged."""
    return normal_texts(length).map(lambda raw: " ".join(raw.split()))


def any_notes() -> st.SearchStrategy[str]:
    """Short notes, and some with the full 32,000 characters."""
    return st.builds(lambda filler, end: str(normal_text(f"{filler} {end}", 32_000)),
                     st.sampled_from(["x", "x\n" * 15_990, "é" * 31_995, "😀" * 31_995]), normal_texts(40))  # fmt: skip


def any_money() -> st.SearchStrategy[Money]:
    amounts = st.decimals(Decimal(-(10**15)), Decimal(10**15), allow_nan=False, allow_infinity=False, places=None)
    odd = st.decimals(0, 10**6, places=5)
    return st.builds(Money, st.one_of(amounts, odd).map(round_to_cents), st.sampled_from(sorted(CURRENCIES)))


def none_or(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), strategy)


def any_company() -> st.SearchStrategy[Company]:
    countries = st.sampled_from(sorted(COUNTRIES))
    return st.builds(
        Company,
        normal_texts(255),
        countries,
        *(single_lines(length) for length in (255, 40)),
        *(none_or(single_lines(length)) for length in (80, 20)),
    )


def any_person(*, reachable: bool = False) -> st.SearchStrategy[Person]:
    """A person with an address, by which people are matched; a reachable one has all that Partner Center demands."""
    email = st.from_regex(r"[a-z]{1,12}@[a-z]{1,12}\.example", fullmatch=True)
    phone = normal_texts(40) if reachable else none_or(normal_texts(40))
    title = st.none() if reachable else none_or(normal_texts(128))
    first_name = normal_texts(40) if reachable else st.one_of(st.just(""), normal_texts(40))
    return st.builds(Person, normal_texts(80), first_name, email, phone, title)


ATTRIBUTES = {
    name: sorted(value for value in field.values if value != field.value_without_a_word)
    for name, field in TRANSLATION.fields.items()
    if isinstance(field, AttributeField)
}
"""The values of each attribute that say more than none."""
SOLUTION_IDS = st.from_regex(r"SOL-[0-9]{5}-[A-Z]{3}", fullmatch=True)
STATUSES = tuple({stage.status: None for stage in TABLE})


@cache
def values_by_field() -> Mapping[str, st.SearchStrategy[Any]]:
    """A strategy for each field of the default mapping, in normal form. Cached, because every example needs it."""
    return {
        "name": normal_texts(120),
        "account": any_company(),
        "contacts": st.lists(any_person(), min_size=1, max_size=3, unique_by=lambda one: one.email).map(tuple),
        "money": any_money(),
        "closing": st.dates(date(1900, 1, 1), date(2200, 12, 31)),
        "notes": st.one_of(st.none(), any_notes()),
        "status": st.sampled_from(STATUSES),
        "sales_stage": none_or(st.sampled_from(PERCENTAGES)),
        "campaign": none_or(normal_texts(255)),
        "referral_program": none_or(normal_texts(255)),
        **{name: none_or(st.sampled_from(listed)) for name, listed in ATTRIBUTES.items()},
        "solutions": st.lists(SOLUTION_IDS, min_size=1, max_size=12, unique=True).map(tuple),
        "team": st.tuples(any_person(reachable=True)),
    }


PLAIN_DEAL = Deal(
    name="Robots for the harbour",
    account=Company("Northwind Traders", "US", "1 Main Street", "Seattle", "WA", "98101"),
    contacts=(Person("One", "Contact", "contact.one@northwind.example", "+12065550100"),),
    money=Money(Decimal("120000.00"), "USD"),
    closing=date(2026, 12, 31),
    notes="Replacing the finance system.",
    status=Status("Active", "Accepted"),
    sales_stage="40",
    campaign="SPRING-2026",
    referral_program=None,
    marketplace_intent="Yes",
    solution_area=None,
    solution_play="Data Security",
    partner_role=None,
    solutions=("SOL-12345-ABC",),
    team=(Person("One", "Seller", "seller.one@contoso.example", "+4550000001"),),
)


def any_deal() -> st.SearchStrategy[Deal]:
    """A plain deal in which one or two fields have any value. This is enough, because fields are translated singly."""
    field_with_value = st.sampled_from(list(values_by_field())).flatmap(
        lambda name: st.tuples(st.just(name), values_by_field()[name])
    )
    return st.lists(field_with_value, min_size=1, max_size=2).map(lambda changes: PLAIN_DEAL.with_values(dict(changes)))


# --- the two systems --------------------------------------------------------------------------------------------------


def contact_role(person: Person, *, primary: bool) -> Json:
    names = {"LastName": person.last_name, "FirstName": person.first_name or None, "Email": person.email}
    return {"IsPrimary": primary, "Contact": {**names, "Phone": person.phone, "Title": person.title}}


def saved_record(deal: Deal, flat: Json) -> dict[str, Any]:
    """The record that a query returns after the columns of `flat` were saved, with its parents and children."""
    company, team, contacts = deal["account"], deal["team"], deal["contacts"]
    assert isinstance(company, Company)
    assert isinstance(team, tuple)
    assert isinstance(contacts, tuple)
    owner = team[0]
    assert isinstance(owner, Person)
    roles = [contact_role(person, primary=not at) for at, person in enumerate(contacts) if isinstance(person, Person)]
    return {
        "Id": "006000000000001AAA",
        "LastModifiedDate": "2026-11-22T10:00:00.000+0000",
        "SystemModstamp": "2026-11-22T10:00:00.000+0000",
        **{column: None for column in TRANSLATION.columns if column not in ("Id", "LastModifiedDate")},
        **{column: saved_value(value) for column, value in flat.items()},
        "Account": {"SystemModstamp": "2026-11-22T09:00:00.000+0000", **TRANSLATION.account(company)},
        "Owner": {
            "FirstName": owner.first_name or None,
            "LastName": owner.last_name,
            "Email": owner.email,
            "Phone": owner.phone,
        },
        "OpportunityContactRoles": {"totalSize": len(roles), "done": True, "records": [*roles[1:], *roles[:1]]},
    }


def saved_value(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """The value as Salesforce stores it: text is trimmed and its lines end in CR LF; numbers are unchanged."""
    return value.strip().replace("\n", "\r\n") if isinstance(value, str) else value


def referral_of(body: Json, status: Status) -> dict[str, Any]:
    """The representation of a referral that was created with `body`; the service chose its status."""
    return {
        "createdDateTime": "2026-11-22T10:00:00.1234567Z",
        **deepcopy(dict(body)),
        "id": "5D0F3F5E-7C1F-4B0E-9D55-0C9A1F2E3D4C",
        "eTag": '"84001c9d"',
        "updatedDateTime": "2026-11-22T10:00:00.7654321Z",
        "status": status.status,
        "substatus": status.substatus,
        "statusReason": status.reason,
        "organizationId": "11111111-2222-3333-4444-555555555555",
    }


def patched_referral(referral: Json, operations: Sequence[Json]) -> dict[str, Any]:
    """Apply `replace` operations of RFC 6902 for paths without list positions, and `add` to the end of a list."""
    result = deepcopy(dict(referral))
    for operation in operations:
        appends = operation["path"].endswith("/-")
        assert operation["op"] == ("add" if appends else "replace")
        *parents, last = operation["path"].removesuffix("/-").strip("/").split("/")
        inner = result
        for step in parents:
            inner = inner[step]
        inner[last] = [*(inner.get(last) or ()), operation["value"]] if appends else operation["value"]
    return result


def changed_to(deal: Deal) -> Sequence[tuple[str, Value | None]]:
    """The fields of a deal that are written after creation too, with their values."""
    return [(rule.field, deal[rule.field]) for rule in TRANSLATION.rules.updatable]
