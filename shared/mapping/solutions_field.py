"""Define the field type for the solutions of a deal."""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from functools import cached_property
from typing import Any, Literal, Self, override

from pydantic import Field, PrivateAttr

from shared.domain.cause import Cause
from shared.domain.field_rules import Rule
from shared.domain.member_sets import Member, key_of
from shared.domain.records import Row
from shared.domain.sentences import cause
from shared.domain.untaken_codes import INACTIVE_SOLUTION
from shared.mapping.field_base import MappingTable, SinglePathField, UnreadableValue
from shared.mapping.paths import Json, in_referral, value_in_record
from shared.mapping.polls import SOLUTION, PollQuery
from shared.mapping.related_list import SolutionRows
from shared.mapping.set_field import SetField
from shared.mapping.solution_ids import can_be_listed, is_partner_solution, solution_type, spell_id, split_ids
from shared.mapping.solution_rows import COLUMNS, NEEDED, RELATED_LIST, ids_in, rows_in, select_rows

_MOST_SHOWN = 80
"""Characters of the words that are no ids, as the audit shows them."""
CUT = "…"
"""Ends a text that shows the first ids only."""


class CatalogEntry(MappingTable):
    """What Partner Center's catalogue says of one solution. No call lists the catalogue, so the file holds it."""

    name: str | None = Field(default=None, min_length=1)
    publisher: str | None = Field(default=None, min_length=1)
    solution_type: str | None = Field(default=None, min_length=1)
    co_sell_ready: bool | None = None


class SolutionsField(SolutionRows, SetField, SinglePathField):
    """Solution ids: in Salesforce a text or the rows of a related list, in the referral a list of tags.

    `source` says which of the two is read. The other one only shows (`shown_solutions`): the text always, the rows with
    `show_rows`. In the text a person may separate the ids as they like. What has no documented form holds the deal: the
    service would refuse it without naming it. An id in a referral is taken as it is, because the service itself chose
    it. Each is sent with its name, publisher and type: those of its row or of `catalog`, or else the id as its name,
    and for our own solutions the `publisher` and the `solution_type` of the field.
    """

    type: Literal["solutions"]
    when: tuple[Literal["create", "update"], ...] = ("create",)
    source: Literal["text", "rows"] = "text"
    show_rows: bool = False
    length: int = Field(default=255, gt=0)
    at_most: int = Field(default=50, gt=0)
    publisher: str | None = Field(default=None, min_length=1)
    solution_type: str = Field(default="3P", min_length=1)
    catalog: Mapping[str, CatalogEntry] = Field(
        default={}, description="a table for each solution, such as [fields.solutions.catalog.SOL-15974-MQF]"
    )

    _about: Mapping[str, Mapping[str, Any]] = PrivateAttr(default_factory=dict)

    @property
    @override
    def later_keys(self) -> set[str]:
        unused = {"source"} if self.source == "text" else set()
        return super().later_keys | unused | (set() if self.show_rows else {"show_rows"})

    @property
    @override
    def related_list(self) -> str | None:
        return RELATED_LIST if self.source == "rows" else None

    @override
    def select_items(self) -> tuple[str, ...]:
        return (select_rows(self._hidden),) if self.source == "rows" else super().select_items()

    @override
    def columns(self) -> tuple[str, ...]:
        return COLUMNS if self.source == "rows" else super().columns()

    @override
    def needed_columns(self) -> tuple[str, ...]:
        return NEEDED if self.source == "rows" else super().needed_columns()

    @override
    def hidden_cause(self, columns: Iterable[str]) -> Cause:
        hidden = tuple(columns)
        if self.source == "rows" and not frozenset(NEEDED).isdisjoint(hidden):
            return cause("no_solution_rows", self.related_list, label=self.label)
        return super().hidden_cause(hidden)

    @override
    def helpful_columns(self) -> tuple[str, ...]:
        if self.source == "rows":
            return (self.salesforce,)
        return COLUMNS if self.show_rows else ()

    @override
    def limited_to(self, hidden: frozenset[str], read_only: frozenset[str]) -> Self:
        """Return a copy without the hidden columns; what the catalogue says of a solution is only read."""
        return super().limited_to(hidden, read_only - frozenset(COLUMNS))

    @override
    def with_rows(self, rows: Sequence[Row]) -> Self:
        field = self.model_copy()
        field._about = {row.key: row.about for row in rows}  # noqa: SLF001 - of its own class
        return field

    @override
    def polls(self) -> tuple[PollQuery, ...]:
        return (SOLUTION,) if self.source == "rows" or self.show_rows else ()

    @override
    def read_rows(self, record: Json) -> tuple[Row, ...]:
        return rows_in(record) if self.source == "rows" else ()

    @override
    def read_unsendable(self, record: Json) -> Mapping[str, str]:
        inactive = (row for row in self.read_rows(record) if row.about.get("active") is False)
        return {row.key: INACTIVE_SOLUTION for row in inactive if row.key}

    @override
    def read_record(self, record: Json) -> tuple[str, ...] | None:
        return self._read_rows_of(record) if self.source == "rows" else self._read_text(record)

    def _read_rows_of(self, record: Json) -> tuple[str, ...] | None:
        ids = ids_in(record)
        if not all(row.key for row in rows_in(record)):
            raise UnreadableValue(cause("row_without_solution", self.related_list, label=self.label), ids or None)
        return ids or None

    def _read_text(self, record: Json) -> tuple[str, ...] | None:
        parts = split_ids(str(value_in_record(record, self.salesforce) or "").removesuffix(CUT))
        spelled = {part: spell_id(part) for part in parts}
        unknown = ", ".join(part for part, known in spelled.items() if known is None)
        if unknown:
            raise UnreadableValue(cause("bad_solutions", self.salesforce, value=_shorten(unknown)), _distinct(parts))
        return _distinct(filter(None, spelled.values())) or None

    @override
    def read_referral(self, referral: Json) -> tuple[str, ...] | None:
        tags = in_referral(referral, self.referral)
        ids = [str(tag.get("id") or "") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
        return _distinct(item.strip() for item in ids if item.strip()) or None

    def shown_text(self, value: tuple[str, ...] | None) -> str | None:
        """Return the text that shows these ids: sorted, the first ones that fit whole, and a sign if there are more.

        Each side may have them in another order, which means nothing.
        """
        ids = sorted(filter(can_be_listed, value or ()), key=str.casefold)
        text = ";".join(ids)
        if len(text) <= self.length and len(ids) == len(value or ()):
            return text or None
        return ";".join((*ids_within(ids, self.length - len(CUT) - 1), CUT))

    def ids_that_fit(self, value: tuple[str, ...]) -> tuple[str, ...]:
        """Return the first ids that the text field can hold whole.

        A shortened id would be another id, and an id with a separator in it would be read as several.
        """
        return ids_within(filter(can_be_listed, value), self.length)

    @override
    def record_values(self, value: tuple[str, ...] | None) -> dict[str, Any]:
        return {} if self.source == "rows" else super().record_values(value)

    def fitting(self, value: Any) -> tuple[int, int]:  # noqa: ANN401 - as in the base class
        """Return how many of these ids fit the text field, and how many there are."""
        return len(self.ids_that_fit(value)), len(value)

    def _to_salesforce(self, value: tuple[str, ...] | None) -> str | None:
        return ";".join(self.ids_that_fit(value)) or None if value else None

    def _to_referral(self, value: tuple[str, ...] | None) -> list[Json]:
        return [self.tag_of(item) for item in value or ()]

    @override
    def to_rule(self, name: str) -> Rule:
        fits = None if self.source == "rows" else self._fits  # a related list holds any number of rows
        return replace(super().to_rule(name), fits=fits, at_most=self.at_most)

    def _fits(self, members: Iterable[Member]) -> bool:
        """Whether the text field holds all these ids whole."""
        ids = tuple(map(str, members))
        return len(self.ids_that_fit(ids)) == len(ids)

    @override
    def key_of_tag(self, tag: Json) -> str:
        return key_of(tag.get("id") or "")

    @override
    def tag_of(self, member: str) -> Json:
        """Return the tag of a solution, as the newest sample of a create has it.

        Source: docs/reference/partner-center.md#creating-a-referral.
        """
        key = member.strip().casefold()
        listed, about = self._entries.get(key, CatalogEntry()), self._about.get(key, {})
        ours = (self.publisher, self.solution_type) if is_partner_solution(member) else (None, None)
        tag = {
            "id": member,
            "type": solution_type(member),
            "name": about.get("name") or listed.name or member,
            "publisherName": about.get("publisher") or listed.publisher or ours[0],
            "solutionType": about.get("solution_type") or listed.solution_type or ours[1],
        }
        return {key: item for key, item in tag.items() if item}

    @override
    def described(self, member: Member) -> Json:
        return self.tag_of(str(member))

    @property
    def not_co_sell_ready(self) -> tuple[str, ...]:
        """The ids, in small letters, of the solutions that the catalogue knows as not co-sell ready."""
        return tuple(solution_id for solution_id, entry in self._entries.items() if entry.co_sell_ready is False)

    @cached_property
    def _entries(self) -> Mapping[str, CatalogEntry]:
        return {solution_id.casefold(): entry for solution_id, entry in self.catalog.items()}


def ids_within(ids: Iterable[str], length: int) -> tuple[str, ...]:
    """Return the first of these ids that fit together into a text of this length, with separators."""
    kept: list[str] = []
    for item in ids:
        if len(";".join([*kept, item])) > length:
            break
        kept.append(item)
    return tuple(kept)


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
