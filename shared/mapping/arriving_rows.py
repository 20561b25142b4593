"""The rows of related lists that a new opportunity gets at once, in the graph that creates it.

Contacts are part of that graph anyway. If Salesforce refuses one of the rows, all of them are written after the
creation, one member by one. Source: docs/protocol.md#creating-an-opportunity, docs/protocol.md#writing-rows.
"""

from collections.abc import Mapping, Sequence
from copy import replace

from shared.clients.salesforce.records import Json
from shared.domain.deal import Side
from shared.domain.member_sets import Member, key_of, members_of
from shared.domain.records import Referral
from shared.mapping.creation_draft import Draft
from shared.mapping.field_base import FieldBase
from shared.mapping.related_list import ContactRows, Found, RelatedList, Target, tags_of

OPPORTUNITY = "@{opportunity.id}"
_PREFIX = "rows"


def row_lookups(fields: Mapping[str, FieldBase], referral: Referral) -> dict[str, str]:
    """Return the queries that find what the rows need, by name."""
    return {
        f"{_PREFIX}.{name}.{query}": soql
        for name, (field, members) in _arriving(fields, referral).items()
        for query, soql in field.lookup(members, ()).items()
    }


def found_rows(records: Mapping[str, Sequence[Json]]) -> dict[str, dict[str, Sequence[Json]]]:
    """Return the answers to `row_lookups`, by field and name of the query."""
    found: dict[str, dict[str, Sequence[Json]]] = {}
    for name, answer in records.items():
        prefix, _, rest = name.partition(".")
        if prefix == _PREFIX:
            field, _, query = rest.partition(".")
            found.setdefault(field, {})[query] = answer
    return found


def with_row_steps(
    fields: Mapping[str, FieldBase], referral: Referral, found: Mapping[str, Found], draft: Draft
) -> Draft:
    """Return the draft with the steps of the rows. Members for whom there can be none are told after the creation."""
    nodes, rows = list(draft.row_nodes), dict(draft.arrival.rows)
    for name, (field, members) in _arriving(fields, referral).items():
        steps = field.rows_for(members, Target(name, OPPORTUNITY, tags_of(field, referral.raw)), found.get(name, {}))
        left = {key_of(one.member) for one in steps.left}
        nodes += steps.nodes
        rows[name] = tuple(member for member in members if key_of(member) not in left)
    return replace(draft, row_nodes=tuple(nodes), arrival=replace(draft.arrival, rows=rows))


def _arriving(fields: Mapping[str, FieldBase], referral: Referral) -> dict[str, tuple[RelatedList, list[Member]]]:
    """The lists that a new opportunity takes over from the referral, with their members."""
    listed = {name: field for name, field in fields.items() if isinstance(field, RelatedList)}
    return {
        name: (field, members)
        for name, field in listed.items()
        if field.related_list and not isinstance(field, ContactRows)
        if "create" in fields[name].when and fields[name].direction.owns(Side.PARTNER_CENTER)
        if (members := list(members_of(referral.deal.get(name)).values()))
    }
