"""Add our section and our related lists to a page layout of the org, and show what that changes.

A deployed layout replaces the whole layout of the org. So the org's layout is read first, and everything in it is kept.
A field may stand on a layout only once. A field that an administrator placed elsewhere stays there, and the section
holds the other ones. Source: docs/reference/salesforce.md#layouts-and-record-pages-in-metadata.
"""

import copy
import difflib
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.metadata_xml import children_named, format_xml, local_name, parse_xml, text_of
from shared.foundation.errors import ConfigurationError, Unavailable

SECTION_LABEL = "Microsoft co-sell"
_SECTION_ELEMENT = "layoutSections"
_LIST_ELEMENT = "relatedLists"
_SYSTEM_FIELDS = frozenset({"CreatedById", "LastModifiedById"})
_LINKS_STYLE = "CustomLinks"


class LayoutChange(Struct, frozen=True):
    """A layout before and after the change; `fields` and `lists` are those that were added."""

    before: bytes
    after: bytes
    fields: tuple[str, ...]
    lists: tuple[str, ...] = ()

    @property
    def difference(self) -> str:
        """The change as a unified diff of the XML."""
        old, new = (text.decode().splitlines() for text in (self.before, self.after))
        return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))


def our_section_in(layout: bytes) -> Element:
    """Return our section from our own layout. Raises ConfigurationError if the layout has no such section."""
    section = _find_our_section(parse_xml(layout))
    if section is None:
        raise ConfigurationError(f"our own layout has no section {SECTION_LABEL!r}")
    return section


def our_lists_in(layout: bytes) -> list[Element]:
    """Return the related lists of our own layout."""
    return list(children_named(parse_xml(layout), _LIST_ELEMENT))


def insert_section(layout: bytes, section: Element, lists: Sequence[Element] = ()) -> LayoutChange:
    """Return the layout with every field of the section on it, and with our related lists.

    Raises Unavailable if `layout` is not a layout.
    """
    try:
        root = parse_xml(layout)
    except ValueError:
        root = Element("")
    if local_name(root) != "Layout":
        raise Unavailable("Salesforce returned something that is not a layout")
    before = format_xml(root)
    existing = set(fields_on(root))
    missing = tuple(name for name in fields_on(section) if name not in existing)
    if missing:
        _insert_missing_fields(root, section, frozenset(missing))
    added = _insert_missing_lists(root, lists)
    return LayoutChange(before, format_xml(root), missing, added)


def _insert_missing_lists(root: Element, lists: Sequence[Element]) -> tuple[str, ...]:
    """Add the related lists that the layout lacks below those that it has; return their names."""
    existing = {_name_of_list(each) for each in children_named(root, _LIST_ELEMENT)}
    missing = [each for each in lists if _name_of_list(each) not in existing]
    position = sum(1 for child in root if local_name(child) <= _LIST_ELEMENT)
    for each in reversed(missing):
        root.insert(position, copy.deepcopy(each))
    return tuple(map(_name_of_list, missing))


def _name_of_list(related: Element) -> str:
    return text_of(related, "relatedList")


def _insert_missing_fields(root: Element, section: Element, missing: frozenset[str]) -> None:
    """Add the fields to our section, or if the layout lacks it, in a new one above system information and links."""
    new_section = copy.deepcopy(section)
    for column in children_named(new_section, "layoutColumns"):
        for item in list(children_named(column, "layoutItems")):
            if text_of(item, "field") not in missing:
                column.remove(item)
    existing_section = _find_our_section(root)
    if existing_section is None:
        root.insert(_section_position(root), new_section)
    elif columns := _columns_of(existing_section):
        for position, new_column in enumerate(_columns_of(new_section)):
            columns[min(position, len(columns) - 1)].extend(children_named(new_column, "layoutItems"))
    else:
        existing_section[:] = list(new_section)


def _columns_of(section: Element) -> list[Element]:
    return list(children_named(section, "layoutColumns"))


def _section_position(root: Element) -> int:
    """Return the position of a new section. In a layout, elements of one name must stand together."""
    positions = [position for position, child in enumerate(root) if local_name(child) == _SECTION_ELEMENT]
    closing_sections = (position for position in positions if _is_closing_section(root[position]))
    after_all = positions[-1] + 1 if positions else _position_without_sections(root)
    return next(closing_sections, after_all)


def _is_closing_section(section: Element) -> bool:
    return text_of(section, "style") == _LINKS_STYLE or not _SYSTEM_FIELDS.isdisjoint(fields_on(section))


def _position_without_sections(root: Element) -> int:
    """Return where the sections would stand in a layout that has none: its elements are in alphabetical order."""
    return sum(1 for child in root if local_name(child) < _SECTION_ELEMENT)


def _find_our_section(root: Element) -> Element | None:
    return next(
        (each for each in children_named(root, _SECTION_ELEMENT) if text_of(each, "label") == SECTION_LABEL), None
    )


def fields_on(part: Element) -> list[str]:
    """Return the fields on a layout or in a section, in reading order."""
    sections = [part] if local_name(part) == _SECTION_ELEMENT else list(children_named(part, _SECTION_ELEMENT))
    columns = (column for section in sections for column in children_named(section, "layoutColumns"))
    items = (item for column in columns for item in children_named(column, "layoutItems"))
    return [name for item in items if (name := text_of(item, "field"))]
