"""Check and read deployed groups and sharing rules (docs/reference/salesforce.md#sharing-rules-in-metadata)."""

from collections.abc import Collection, Iterator
from typing import Any

from emulators.salesforce.data.schema import Field, Kind, SObject
from emulators.salesforce.data.sharing import SharingRule
from emulators.salesforce.metadata.package import Component

_CRITERIA, _OWNERS = "sharingCriteriaRules", "sharingOwnerRules"


def check_sharing_rules(
    component: Component, sobject: SObject | None, groups: Collection[str], *, is_open: bool
) -> Iterator[str]:
    """Find what is wrong with the sharing rules of an object; `groups` are the names of those that exist.

    An object that is open to every user by its org-wide default takes no rules.
    """
    if sobject is None:
        yield f"Entity of type '{component.full_name}' is not available in this organization"
        return
    if is_open:
        yield f"Sharing rules not supported for {sobject.name} since it's org wide default is Public Read/Write"
        return
    for rule in _rules(component):
        yield from _check_rule(rule, sobject, groups)


def _check_rule(rule: Any, sobject: SObject, groups: Collection[str]) -> Iterator[str]:  # noqa: ANN401 - lxml ships no types
    if rule.findtext("{*}accessLevel") not in {"Read", "Edit"}:
        yield "In field: accessLevel - not valid for this object"
    for place in ("sharedTo", "sharedFrom"):
        group = rule.findtext(f"{{*}}{place}/{{*}}group")
        if group and group not in groups:
            yield f"In field: group - no Group named {group} found"
        elif not group and (place == "sharedTo" or _kind(rule) == _OWNERS):
            yield f"This emulator shares with groups only: {place}"
    for item in rule.iterfind("{*}criteriaItems"):
        yield from _check_item(item, sobject)
    alternatives = rule.findtext("{*}booleanFilter") or "1"
    if not _is_alternative(alternatives):
        yield f"This emulator knows filters with OR only: {alternatives}"


def _check_item(item: Any, sobject: SObject) -> Iterator[str]:  # noqa: ANN401 - lxml ships no types
    name, operation = item.findtext("{*}field"), item.findtext("{*}operation")
    if sobject.find_field(name) is None:
        yield f"In field: field - no CustomField named {sobject.name}.{name} found"
    if operation != "equals" and (operation != "notEqual" or item.findtext("{*}value")):
        yield f"This emulator knows equals, and notEqual without a value: {operation}"


def read_sharing_rules(component: Component, sobject: SObject) -> dict[str, SharingRule]:
    """The rules by `Object.Name`."""
    return {f"{sobject.name}.{each.findtext('{*}fullName')}": _read_rule(each, sobject) for each in _rules(component)}


def _read_rule(rule: Any, sobject: SObject) -> SharingRule:  # noqa: ANN401 - lxml ships no types
    items = [(sobject.fields[each.findtext("{*}field").lower()], each) for each in rule.iterfind("{*}criteriaItems")]
    return SharingRule(
        sobject.name,
        rule.findtext("{*}sharedTo/{*}group"),
        edit=rule.findtext("{*}accessLevel") == "Edit",
        values={
            field.name: _value(field, each.findtext("{*}value") or "")
            for field, each in items
            if each.findtext("{*}operation") == "equals"
        },
        filled=tuple(field.name for field, each in items if each.findtext("{*}operation") == "notEqual"),
        any_of=rule.findtext("{*}booleanFilter") is not None,
        owned_by=rule.findtext("{*}sharedFrom/{*}group") or "",
    )


def _value(field: Field, text: str) -> Any:  # noqa: ANN401 - any stored value
    return text.lower() == "true" if field.kind is Kind.BOOLEAN else text or None


def _is_alternative(text: str) -> bool:
    words = text.upper().split()
    return all(word.isdigit() if place % 2 == 0 else word == "OR" for place, word in enumerate(words))


def _rules(component: Component) -> Iterator[Any]:
    yield from component.element.iterfind(f"{{*}}{_CRITERIA}")
    yield from component.element.iterfind(f"{{*}}{_OWNERS}")


def _kind(rule: Any) -> str:  # noqa: ANN401 - lxml ships no types
    return str(rule.tag).rpartition("}")[2]
