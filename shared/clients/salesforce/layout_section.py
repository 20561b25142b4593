"""Adding our section to a page layout of the org, and showing what that changes (reference/salesforce.md 5.6).

A deployed layout replaces the org's whole one, so the whole one is read first and everything in it is kept. A field may
stand on a layout once: what an administrator has placed elsewhere stays there, and the section takes the rest.
"""

import copy
import difflib
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.metadata_xml import children, local, parse, text_of, write
from shared.foundation.errors import ConfigurationError, Unavailable

LABEL = "Microsoft co-sell"
_SECTION = "layoutSections"
_BEFORE = frozenset({"CreatedById", "LastModifiedById"})
_LINKS = "CustomLinks"


class Change(Struct, frozen=True):
    """A layout before and after; `fields` are those that were added, none if there was nothing to do."""

    before: bytes
    after: bytes
    fields: tuple[str, ...]

    @property
    def difference(self) -> str:
        """The change as a unified difference of the XML."""
        old, new = (text.decode().splitlines() for text in (self.before, self.after))
        return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))


def section_of(layout: bytes) -> Element:
    """Our section, as our own layout has it. Raises ConfigurationError."""
    found = _labelled(parse(layout))
    if found is None:
        raise ConfigurationError(f"our own layout has no section {LABEL!r}")
    return found


def with_section(layout: bytes, section: Element) -> Change:
    """The layout with every field of the section on it. Raises Unavailable for what is no layout."""
    try:
        root = parse(layout)
    except ValueError:
        root = Element("")
    if local(root) != "Layout":
        raise Unavailable("Salesforce handed over something that is no layout")
    before = write(root)
    placed = set(_fields(root))
    missing = tuple(name for name in _fields(section) if name not in placed)
    if missing:
        _place(root, section, frozenset(missing))
    return Change(before, write(root), missing)


def _place(root: Element, section: Element, missing: frozenset[str]) -> None:
    """Into our section if it is there, else a new section above the system information and the links."""
    new = copy.deepcopy(section)
    for column in children(new, "layoutColumns"):
        for item in list(children(column, "layoutItems")):
            if text_of(item, "field") not in missing:
                column.remove(item)
    there = _labelled(root)
    if there is None:
        root.insert(_position(root), new)
    elif columns := _columns(there):
        for place, ours in enumerate(_columns(new)):
            columns[min(place, len(columns) - 1)].extend(children(ours, "layoutItems"))
    else:
        there[:] = list(new)


def _columns(section: Element) -> list[Element]:
    return list(children(section, "layoutColumns"))


def _position(root: Element) -> int:
    """Where a new section goes: elements of one name stand together in a layout."""
    places = [place for place, child in enumerate(root) if local(child) == _SECTION]
    later = (place for place in places if _is_last(root[place]))
    after_all = places[-1] + 1 if places else _before_others(root)
    return next(later, after_all)


def _is_last(section: Element) -> bool:
    return text_of(section, "style") == _LINKS or not _BEFORE.isdisjoint(_fields(section))


def _before_others(root: Element) -> int:
    """Where a layout without sections would have them: its elements stand in alphabetical order."""
    return sum(1 for child in root if local(child) < _SECTION)


def _labelled(root: Element) -> Element | None:
    return next((each for each in children(root, _SECTION) if text_of(each, "label") == LABEL), None)


def _fields(part: Element) -> list[str]:
    """The fields on a layout or in a section, in the order in which they are read."""
    sections = [part] if local(part) == _SECTION else list(children(part, _SECTION))
    columns = (column for section in sections for column in children(section, "layoutColumns"))
    items = (item for column in columns for item in children(column, "layoutItems"))
    return [name for item in items if (name := text_of(item, "field"))]
