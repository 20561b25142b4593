"""Define the field type for the solutions of a deal."""

from collections.abc import Iterable, Mapping
from copy import replace
from functools import cached_property
from typing import Literal, override

from pydantic import Field

from shared.domain.field_rules import Rule
from shared.domain.member_sets import Member, key_of
from shared.domain.sentences import cause
from shared.mapping.field_base import MappingTable, SinglePathField, UnreadableValue
from shared.mapping.paths import Json, in_referral, value_in_record
from shared.mapping.set_field import SetField
from shared.mapping.solution_ids import can_be_listed, is_partner_solution, solution_type, spell_id, split_ids

_MOST_SHOWN = 80
"""Characters of the words that are no ids, as the audit shows them."""


class CatalogEntry(MappingTable):
    """What Partner Center's catalogue says of one solution. No call lists the catalogue, so the file holds it."""

    name: str | None = Field(default=None, min_length=1)
    publisher: str | None = Field(default=None, min_length=1)
    solution_type: str | None = Field(default=None, min_length=1)
    co_sell_ready: bool | None = None


class SolutionsField(SetField, SinglePathField):
    """Solution ids: in Salesforce a text, in the referral a list of tags.

    In the text a person may separate them as they like. What has no documented form holds the deal: the service would
    refuse it without naming it. An id in a referral is taken as it is, because the service itself chose it.
    Each is sent with its name, publisher and type: those of `catalog`, or else the id as its name, and for our own
    solutions the `publisher` and the `solution_type` of the field.
    """

    type: Literal["solutions"]
    when: tuple[Literal["create", "update"], ...] = ("create",)
    length: int = Field(default=255, gt=0)
    at_most: int = Field(default=50, gt=0)
    publisher: str | None = Field(default=None, min_length=1)
    solution_type: str = Field(default="3P", min_length=1)
    catalog: Mapping[str, CatalogEntry] = Field(
        default={}, description="a table for each solution, such as [fields.solutions.catalog.SOL-15974-MQF]"
    )

    @override
    def read_record(self, record: Json) -> tuple[str, ...] | None:
        parts = split_ids(str(value_in_record(record, self.salesforce) or ""))
        spelled = {part: spell_id(part) for part in parts}
        unknown = ", ".join(part for part, known in spelled.items() if known is None)
        if unknown:
            raise UnreadableValue(cause("bad_solutions", self.salesforce, value=_shorten(unknown)), _distinct(parts))
        ids = _distinct(filter(None, spelled.values()))
        if len(ids) > self.at_most:
            raise UnreadableValue(cause("too_many_solutions", self.salesforce), ids)
        return ids or None

    @override
    def read_referral(self, referral: Json) -> tuple[str, ...] | None:
        tags = in_referral(referral, self.referral)
        ids = [str(tag.get("id") or "") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
        return _distinct(item.strip() for item in ids if item.strip()) or None

    def ids_that_fit(self, value: tuple[str, ...]) -> tuple[str, ...]:
        """Return the first ids that the text field can hold whole.

        A shortened id would be another id, and an id with a separator in it would be read as several.
        """
        kept: list[str] = []
        for item in filter(can_be_listed, value):
            if len(";".join([*kept, item])) > self.length:
                break
            kept.append(item)
        return tuple(kept)

    def _to_salesforce(self, value: tuple[str, ...] | None) -> str | None:
        return ";".join(self.ids_that_fit(value)) or None if value else None

    def _to_referral(self, value: tuple[str, ...] | None) -> list[Json]:
        return [self.tag_of(item) for item in value or ()]

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), fits=self._fits)

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
        listed = self._entries.get(member.casefold(), CatalogEntry())
        is_ours = is_partner_solution(member)
        tag = {
            "id": member,
            "type": solution_type(member),
            "name": listed.name or member,
            "publisherName": listed.publisher or (self.publisher if is_ours else None),
            "solutionType": listed.solution_type or (self.solution_type if is_ours else None),
        }
        return {key: item for key, item in tag.items() if item}

    @property
    def not_co_sell_ready(self) -> tuple[str, ...]:
        """The ids, in small letters, of the solutions that the catalogue knows as not co-sell ready."""
        return tuple(solution_id for solution_id, entry in self._entries.items() if entry.co_sell_ready is False)

    @cached_property
    def _entries(self) -> Mapping[str, CatalogEntry]:
        return {solution_id.casefold(): entry for solution_id, entry in self.catalog.items()}


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
