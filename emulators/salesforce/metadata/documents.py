"""Keep the metadata of the org that has no effect on records, as XML: layouts, pages, list views, permission sets."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.xml_schema import NAMESPACE, PREFIX, parse_xml, serialize_xml

_ITEM = f'<layoutItems xmlns="{NAMESPACE}"><behavior>Required</behavior><field>{{field}}</field></layoutItems>'


@dataclass(slots=True)
class Documents:
    """The XML of each component by type and full name."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put(self, component: Component) -> None:
        """Keep a component; it replaces the one with the same type and name."""
        root = copy.deepcopy(component.element)
        # A part of an object has the element name of its place there. A document of its own is named by its type.
        root.tag = PREFIX + component.type
        self.kept[component.type, component.full_name] = serialize_xml(root)

    def names(self, type_name: str) -> list[str]:
        """The full names of all components of a type, sorted."""
        return sorted(name for kind, name in self.kept if kind == type_name)

    def read_only_fields(self, sobject: str) -> set[str]:
        """The fields of an object that people may see and not edit.

        Permission sets with a licence are left out: people do not have it.
        """
        return {name for owner, name, is_editable in self._field_permissions() if owner == sobject and not is_editable}

    def require_on_layouts(self, sobject: str, field: str) -> None:
        """Put a field that is required now onto each layout of an object, as the service does."""
        for kind, name in self.kept:
            if kind == "Layout" and name.startswith(f"{sobject}-"):
                root: Any = parse_xml(self.kept[kind, name])
                self.kept[kind, name] = serialize_xml(_with_required(root, field))

    def _field_permissions(self) -> Iterator[tuple[str, str, bool]]:
        for (kind, _), data in self.kept.items():
            root: Any = parse_xml(data) if kind == "PermissionSet" else None
            if root is None or root.findtext("{*}license"):
                continue
            for entry in root.findall("{*}fieldPermissions"):
                owner, _, name = entry.findtext("{*}field").partition(".")
                yield owner, name, entry.findtext("{*}editable") != "false"


def _with_required(layout: Any, field: str) -> Any:  # noqa: ANN401 - lxml ships no types
    items = [each for each in layout.iterfind(".//{*}layoutItems") if each.findtext("{*}field") == field]
    if not items:
        column = layout.find(".//{*}layoutColumns")
        items = [parse_xml(_ITEM.format(field=field).encode())]
        column.append(items[0])
    items[0].find("{*}behavior").text = "Required"
    return layout


def documents_of_new_org() -> Documents:
    """The page layouts that an org has from its first day."""
    layout = Path(__file__).with_name("standard_layout.xml").read_bytes()
    names = ("Opportunity-Opportunity Layout", "Opportunity-Opportunity %28Sales%29 Layout")
    return Documents({("Layout", name): layout for name in names})
