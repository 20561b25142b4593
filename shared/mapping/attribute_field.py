"""Define the field type for an attribute of a referral: one of a few values that Microsoft lists, such as a role.

All attributes are one list of `{"id", "type"}` in the referral (docs/reference/partner-center.md#attributes). A field
is one type of it, and names Microsoft's ids and what Salesforce calls them, because both change each July.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from typing import Any, Literal, Self, override

from pydantic import Field, PrivateAttr, model_validator

from shared.domain.deal import Side
from shared.domain.field_rules import Rule
from shared.domain.listed_texts import listed
from shared.domain.sentences import cause
from shared.mapping.field_base import FieldBase, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, replace_operation, set_value, value_in_record

ATTRIBUTES = "/details/requirements/additionalRequirements/attributes"
MARKETPLACE_INTENT = "CustomerMarketplaceIntent"
"""The type of the attribute that every new referral has."""


class AttributeField(FieldBase):
    """One attribute: in Salesforce a value of a picklist or text, in the referral an id of this `kind`.

    The deal holds the value as Salesforce calls it. `constant` is the value of a new referral whose opportunity names
    none. It says no more than no value at all, so that an empty column and an attribute that is the constant agree.
    """

    type: Literal["attribute"]
    kind: str = Field(min_length=1)
    values: Mapping[str, str] = Field(
        min_length=1,
        description='a table of ids by their values in Salesforce, such as { "Not yet" = "HaveNotDecided" }',
    )
    constant: str | None = None
    referral: ReferralPath = ATTRIBUTES
    salesforce: SalesforcePath | None = None
    _by_setting: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.salesforce is None and self.constant is None:
            raise ValueError("expected the key salesforce, the key constant, or both; found neither")
        return self

    def with_setting(self, intent: str) -> Self:
        """Return a copy of this field that knows the setting for the marketplace intent, which a constant replaces."""
        if self.constant is not None or self.kind.casefold() != MARKETPLACE_INTENT.casefold():
            return self
        field = self.model_copy()
        field._by_setting = self._value_of(intent) or intent  # noqa: SLF001 - of its own class
        return field

    @property
    def is_sent_at_creation(self) -> bool:
        """Whether a new referral gets the attribute."""
        return "create" in self.when and self.direction.owns(Side.SALESFORCE)

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), is_in_list=True)

    @override
    def patch_paths(self) -> tuple[str, ...]:
        return (self.referral,)

    @override
    def select_items(self) -> tuple[str, ...]:
        return (self.salesforce,) if self.salesforce else ()

    # --- read

    @override
    def read_record(self, record: Json) -> str | None:
        text = normal_text(value_in_record(record, self.salesforce or ""))
        value = self._spelled(text) if text is not None else None
        if text is not None and value is None:
            known = listed(list(self.values))
            raise UnreadableValue(cause("bad_attribute", self.salesforce, label=self.label, value=text, known=known))
        return self._said(value)

    @override
    def read_referral(self, referral: Json) -> str | None:
        given = (normal_text(entry.get("id")) for entry in self._own(raw_list(self, referral)))
        ids = list(dict.fromkeys(one for one in given if one))
        if len(ids) > 1:
            raise UnreadableValue(cause("several_attributes", self.referral, label=self.label, value=listed(ids)))
        value = self._value_of(ids[0]) if ids else None
        if ids and value is None and ids[0].casefold() != (self._by_setting or "").casefold():
            raise UnreadableValue(cause("unknown_attribute", self.referral, label=self.label, value=ids[0]))
        return self._said(value)

    def _said(self, value: str | None) -> str | None:
        return None if value == self.value_without_a_word else value

    @property
    def value_without_a_word(self) -> str | None:
        """The value of a new referral whose opportunity names none."""
        return self._spelled(self.constant) if self.constant is not None else self._by_setting

    def _spelled(self, text: str) -> str | None:
        """Return a value as the file names it first, from a value in any letter case or an id."""
        known = {value.casefold(): sent for value, sent in self.values.items()}
        return self._value_of(known.get(text.casefold(), text))

    def _value_of(self, sent: str) -> str | None:
        return next((value for value, one in self.values.items() if one.casefold() == sent.casefold()), None)

    # --- write

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        """Return the value; the constant where there is none, as far as Salesforce has a word for it."""
        word = self.value_without_a_word
        return {self.salesforce or "": value or (word if word in self.values else None)}

    @override
    def add_to_body(self, value: Any, body: dict[str, Any]) -> None:
        """Put the attribute into the list of a new referral, which has the constants already."""
        if value is not None:
            set_value(body, self.referral, self.changed(raw_list(self, body), value))

    @override
    def patch_operations(self, value: Any, old: Any) -> list[Json]:
        raise NotImplementedError  # `attribute_operations` changes all attributes together

    def changed(self, entries: Iterable[Any], value: str | None) -> list[Any]:
        """Return the list of a referral with this value; all that is not of this kind stays as it is."""
        word = value or self.value_without_a_word
        entries = list(entries)
        own = self._own(entries)
        if word is None:
            return [entry for entry in entries if entry not in own]
        sent = self.values.get(word, word)
        if not own:
            return [*entries, {"id": sent, "type": self.kind}]
        repeated = {id(one) for one in own[1:]}  # two may be equal
        kept = (entry for entry in entries if id(entry) not in repeated)
        return [{**entry, "id": sent} if entry is own[0] else entry for entry in kept]

    def _own(self, entries: Iterable[Any]) -> list[Any]:
        kind = self.kind.casefold()
        return [one for one in entries if isinstance(one, Mapping) and str(one.get("type")).casefold() == kind]


def raw_list(field: AttributeField, referral: Json) -> list[Any]:
    """Return the attributes of a referral as it has them; an empty list that is nobody's where it has none."""
    entries = in_referral(referral, field.referral)
    return entries if isinstance(entries, list) else []


def constant_attributes(fields: Iterable[FieldBase], intent: str) -> list[dict[str, str]]:
    """Return the attributes that every new referral has: the marketplace intent of the setting, and the constants."""
    entries: list[Any] = [{"id": intent, "type": MARKETPLACE_INTENT}]
    for field in fields:
        if isinstance(field, AttributeField) and field.constant is not None and field.is_sent_at_creation:
            entries = field.changed(entries, None)
    return entries


def attribute_operations(changes: Sequence[tuple[AttributeField, Any]], read: Json | None) -> list[Json]:
    """Return the operations that set these attributes: one for each list, built from what the referral had.

    What we do not map survives. Source: docs/protocol.md#attributes.
    """
    lists: dict[str, list[Any]] = {}
    for field, value in changes:
        lists[field.referral] = field.changed(lists.get(field.referral, raw_list(field, read or {})), value)
    return [replace_operation(path, entries) for path, entries in lists.items()]
