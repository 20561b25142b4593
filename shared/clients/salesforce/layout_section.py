"""Adding our section to a page layout of the org, and showing what that changes (reference/salesforce.md 5.6).

A deployed layout replaces the org's whole one, so the whole one is read first and everything in it is kept. A field may
stand on a layout once: what an administrator has placed elsewhere stays there, and the section takes the rest.
"""

import copy
import difflib
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.metadata_xml import children_named, format_xml, local_name, parse_xml, text_of
from shared.foundation.errors import ConfigurationError, Unavailable

SECTION_LABEL = "Microsoft co-sell"
_SECTION_ELEMENT = "layoutSections"
_SYSTEM_FIELDS = frozenset({"CreatedById", "LastModifiedById"})
_LINKS_STYLE = "CustomLinks"


class LayoutChange(Struct, frozen=True):
    """A layout before and after; `fields` are those that were added, none if there was nothing to do."""

    before: bytes
    after: bytes
    fields: tuple[str, ...]

    @property
    def difference(self) -> str:
        """The change as a unified difference of the XML."""
        old, new = (text.decode().splitlines() for text in (self.before, self.after))
        return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))


def our_section_in(layout: bytes) -> Element:
    """Our section, as our own layout has it. Raises ConfigurationError."""
    found = _find_our_section(parse_xml(layout))
    if found is None:
        raise ConfigurationError(f"our own layout has no section {SECTION_LABEL!r}")
    return found


def insert_section(layout: bytes, section: Element) -> LayoutChange:
    """The layout with every field of the section on it. Raises Unavailable for what is no layout."""
    try:
        root = parse_xml(layout)
    except ValueError:
        root = Element("")
    if local_name(root) != "Layout":
        raise Unavailable("Salesforce handed over something that is no layout")
    before = format_xml(root)
    placed = set(_fields_on(root))
    missing = tuple(name for name in _fields_on(section) if name not in placed)
    if missing:
        _insert_missing_fields(root, section, frozenset(missing))
    return LayoutChange(before, format_xml(root), missing)


def _insert_missing_fields(root: Element, section: Element, missing: frozenset[str]) -> None:
    """Into our section if it is there, else a new section above the system information and the links."""
    new = copy.deepcopy(section)
    for column in children_named(new, "layoutColumns"):
        for item in list(children_named(column, "layoutItems")):
            if text_of(item, "field") not in missing:
                column.remove(item)
    there = _find_our_section(root)
    if there is None:
        root.insert(_section_position(root), new)
    elif columns := _columns_of(there):
        for place, ours in enumerate(_columns_of(new)):
            columns[min(place, len(columns) - 1)].extend(children_named(ours, "layoutItems"))
    else:
        there[:] = list(new)


def _columns_of(section: Element) -> list[Element]:
    return list(children_named(section, "layoutColumns"))


def _section_position(root: Element) -> int:
    """Where a new section goes: elements of one name stand together in a layout."""
    places = [place for place, child in enumerate(root) if local_name(child) == _SECTION_ELEMENT]
    later = (place for place in places if _is_closing_section(root[place]))
    after_all = places[-1] + 1 if places else _position_without_sections(root)
    return next(later, after_all)


def _is_closing_section(section: Element) -> bool:
    return text_of(section, "style") == _LINKS_STYLE or not _SYSTEM_FIELDS.isdisjoint(_fields_on(section))


def _position_without_sections(root: Element) -> int:
    """Where a layout without sections would have them: its elements stand in alphabetical order."""
    return sum(1 for child in root if local_name(child) < _SECTION_ELEMENT)


def _find_our_section(root: Element) -> Element | None:
    return next(
        (each for each in children_named(root, _SECTION_ELEMENT) if text_of(each, "label") == SECTION_LABEL), None
    )


def _fields_on(part: Element) -> list[str]:
    """The fields on a layout or in a section, in the order in which they are read."""
    sections = [part] if local_name(part) == _SECTION_ELEMENT else list(children_named(part, _SECTION_ELEMENT))
    columns = (column for section in sections for column in children_named(section, "layoutColumns"))
    items = (item for column in columns for item in children_named(column, "layoutItems"))
    return [name for item in items if (name := text_of(item, "field"))]
