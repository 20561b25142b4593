"""Check custom objects, their tabs and the rights to objects by the rules that the schema does not hold.

The rules: docs/reference/salesforce.md#custom-objects-in-metadata and
docs/reference/salesforce.md#permission-sets-in-metadata.
"""

import re
from collections.abc import Iterator, Mapping

from emulators.salesforce.metadata.package import Component

_MOTIF = re.compile(r"Custom\d+: \S.*")
_OPENNESS = ("ControlledByParent", "Private", "Read", "ReadWrite")
"""The sharing models, from the closed to the open."""
_NEEDED_RIGHTS = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
"""The rights that a right to an object depends on."""
_RIGHT_NAMES = {
    "allowCreate": "Create", "allowRead": "Read", "allowEdit": "Edit", "allowDelete": "Delete",
    "viewAllRecords": "View All", "modifyAllRecords": "Modify All",
}  # fmt: skip


def check_custom_object(component: Component, *, is_new: bool, has_master: bool = False) -> Iterator[str]:
    """Find what is wrong with a custom object; `has_master` says whether a master-detail field comes with it."""
    for name in ("label", "pluralLabel"):
        if not component.first_text(name):
            yield f"Must specify a non-empty {name} for the CustomObject"
    if is_new and component.first_text("nameField/type") not in {"Text", "AutoNumber"}:
        yield "Must specify a nameField of type Text or AutoNumber"
    if component.first_text("nameField/type") == "AutoNumber" and "{0" not in component.first_text(
        "nameField/displayFormat"
    ):
        yield "Must specify 'displayFormat' for a nameField of type AutoNumber"
    if is_new and component.first_text("deploymentStatus") not in {"Deployed", "InDevelopment"}:
        yield "Must specify 'deploymentStatus' for a CustomObject"
    internal, external = component.first_text("sharingModel"), component.first_text("externalSharingModel")
    if not internal:
        yield "Must specify 'sharingModel' for a CustomObject"
    elif has_master and internal != "ControlledByParent":
        yield "Must set sharingModel to ControlledByParent on a CustomObject with a MasterDetail relationship field"
    elif internal == "ControlledByParent" and not has_master:
        yield (
            "Cannot set sharingModel to ControlledByParent on a CustomObject without a MasterDetail relationship field"
        )
    elif external in _OPENNESS and internal in _OPENNESS and _OPENNESS.index(external) > _OPENNESS.index(internal):
        yield "The external sharing model cannot be more open than the sharing model"


def check_tab(component: Component, *, has_object: bool) -> Iterator[str]:
    """Find what is wrong with the tab of a custom object; `has_object` says whether the object exists."""
    if component.first_text("customObject") != "true":
        yield "This emulator deploys tabs of custom objects only"
        return
    if not has_object:
        yield f"In field: customObject - no CustomObject named {component.full_name} found"
    if component.first_text("label"):
        yield "Can not specify 'label' for a CustomTab of a custom object"
    if not _MOTIF.fullmatch(component.first_text("motif")):
        yield "Must specify 'motif' for a CustomTab of a custom object"


def check_object_rights(component: Component, masters: Mapping[str, str]) -> Iterator[str]:
    """Find the rights of a permission set that depend on a right that it does not grant.

    Read on Contact or Opportunity also needs Read on Account, and Read on a detail needs Read on its parent, which
    `masters` names by detail.
    """
    names = component.all_texts("objectPermissions/object")
    rights = {right: component.all_texts(f"objectPermissions/{right}") for right in _RIGHT_NAMES}
    granted = {name: {right for right, values in rights.items() if values[n] == "true"} for n, name in enumerate(names)}
    for name, own in granted.items():
        for right in sorted(own, key=list(_RIGHT_NAMES).index):
            missing = [_RIGHT_NAMES[each] for each in _NEEDED_RIGHTS.get(right, ()) if each not in own]
            if missing:
                needed = ", ".join(f"{each} {name}" for each in missing)
                yield f"Permission {_RIGHT_NAMES[right]} {name} depends on permission(s): {needed}"
    for name, parent in {"Contact": "Account", "Opportunity": "Account", **masters}.items():
        if "allowRead" in granted.get(name, ()) and "allowRead" not in granted.get(parent, ()):
            yield f"Permission Read {name} depends on permission(s): Read {parent}"
