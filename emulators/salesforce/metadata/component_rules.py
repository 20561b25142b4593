"""Check components by the rules that the schema does not hold and the service applies.

The rules: docs/reference/salesforce.md#custom-fields-in-metadata,
docs/reference/salesforce.md#permission-sets-in-metadata and
docs/reference/salesforce.md#layouts-and-record-pages-in-metadata. The texts are the service's own where a source quotes
them. docs/reference/salesforce.md#inferred-behaviour-of-the-emulator lists the others.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Field, SObject
from emulators.salesforce.data.sharing import group_names
from emulators.salesforce.metadata.component_xml import MetadataError, field_from_xml, object_from_xml, rule_from_xml
from emulators.salesforce.metadata.object_rules import check_custom_object, check_object_rights, check_tab
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.sharing_rules import check_sharing_rules

LICENSES = frozenset({"Salesforce API Integration", "Salesforce", "Salesforce Platform"})
LABEL_LENGTH = 40
_LENGTH_NEEDED = frozenset({"Text", "LongTextArea", "Html"})
_LENGTH_FORBIDDEN = frozenset({"Url", "TextArea", "Checkbox", "Picklist", "Date", "DateTime", "Email", "Phone"})
_FORBIDDEN = {"Checkbox": {"required"}, "MasterDetail": {"required", "deleteConstraint", "lookupFilter"}}
_LAYOUT_REQUIRED = {"Opportunity": frozenset({"Name", "CloseDate", "StageName"})}
# These must stand on a layout too, with any behaviour.
_LAYOUT_PRESENT = {"Opportunity": frozenset({"Probability"})}
_REQUIRED_BY_CUSTOM_OBJECTS = frozenset({"Name"})
_LAYOUT_READ_ONLY = frozenset({"CreatedById", "LastModifiedById"})
_COLUMNS = frozenset(
    {"OPPORTUNITY.NAME", "ACCOUNT.NAME", "OPPORTUNITY.STAGE_NAME", "OPPORTUNITY.AMOUNT", "OPPORTUNITY.CLOSE_DATE",
     "OPPORTUNITY.PROBABILITY", "CORE.USERS.ALIAS"}
)  # fmt: skip
_COLUMNS_OF_CUSTOM_OBJECTS = frozenset({"NAME", "CREATED_DATE", "LAST_UPDATE", "OWNER.ALIAS"})


class ComponentChecker:
    """Checks the components of one zip in turn. A field that passed counts as existing for those that follow."""

    def __init__(
        self, org: Org, languages: frozenset[str], tabs: Collection[str], components: Sequence[Component] = ()
    ) -> None:
        """`languages` are those of the Translation Workbench, an empty set if it is off; `tabs` exist in the org.

        `components` are all of the zip.
        """
        masters = (each for each in components if each.first_text("type") == "MasterDetail")
        self._masters = {each.name: each.master.refers for each in org.model if each.master and each.master.is_custom}
        self._masters |= {each.parent: each.first_text("referenceTo") for each in masters}
        self._org, self._languages = org, languages
        self._new: dict[tuple[str, str], Field] = {}
        self._new_objects: dict[str, SObject] = {}
        self._tabs = set(tabs)
        self._groups = group_names(org)
        self._checks: dict[str, Callable[[Component], Iterator[str]]] = {
            "CustomObject": self._check_object,
            "CustomTab": self._check_tab,
            "CustomNotificationType": _check_notification_type,
            "Flow": lambda _: iter(()),
            "Group": self._check_group,
            "SharingRules": self._check_sharing,
            "CustomField": self._check_field,
            "ValidationRule": self._check_rule,
            "ListView": self._check_list_view,
            "PermissionSet": self._check_permission_set,
            "Layout": self._check_layout,
            "FlexiPage": self._check_page,
            "CustomObjectTranslation": self._check_translation,
        }

    def find_problems(self, component: Component) -> list[str]:
        """The reasons why a component may not be deployed; empty if it may."""
        return list(self._checks[component.type](component))

    # --- what exists

    def _find_object(self, name: str) -> SObject | None:
        return self._org.model.find_object(name) or self._new_objects.get(name.lower())

    def _find_field(self, sobject: str, name: str) -> Field | None:
        definition = self._find_object(sobject)
        existing = definition.find_field(name) if definition else None
        return self._new.get((sobject.lower(), name.lower())) or existing

    def _object_after_deployment(self, sobject: SObject) -> SObject:
        """The object with the new fields."""
        fields = {name: field for (owner, name), field in self._new.items() if owner == sobject.name.lower()}
        return SObject(sobject.name, sobject.prefix, sobject.label, sobject.plural, {**sobject.fields, **fields})

    # --- objects and tabs

    def _check_object(self, component: Component) -> Iterator[str]:
        is_new = self._find_object(component.full_name) is None
        problems = list(check_custom_object(component, is_new=is_new, has_master=component.full_name in self._masters))
        problems += _check_length("label", component.first_text("label"), LABEL_LENGTH)
        problems += _check_length("pluralLabel", component.first_text("pluralLabel"), LABEL_LENGTH)
        if is_new and not problems:
            made = object_from_xml(component.full_name, component.element, self._org.model)
            self._new_objects[component.full_name.lower()] = made
        yield from problems

    def _check_tab(self, component: Component) -> Iterator[str]:
        problems = list(check_tab(component, has_object=self._find_object(component.full_name) is not None))
        if not problems:
            self._tabs.add(component.full_name)
        yield from problems

    def _check_group(self, component: Component) -> Iterator[str]:
        problems = list(_check_length("name", component.first_text("name"), LABEL_LENGTH))
        if not problems:
            self._groups.add(component.full_name)
        yield from problems

    def _check_sharing(self, component: Component) -> Iterator[str]:
        sobject = self._find_object(component.full_name)
        known = self._object_after_deployment(sobject) if sobject else None
        is_open = self._org.sharing.is_open(component.full_name)
        yield from check_sharing_rules(component, known, self._groups, is_open=is_open)

    # --- fields and rules

    def _check_field(self, component: Component) -> Iterator[str]:
        sobject = self._find_object(component.parent)
        if sobject is None:
            yield f"Entity of type '{component.parent}' is not available in this organization"
            return
        problems = list(_check_field_elements(component))
        try:
            field = field_from_xml(component.element)
        except MetadataError as error:
            yield str(error)
            return
        if field.refers and self._find_object(field.refers) is None:
            problems.append(f"referenceTo value of '{field.refers}' does not resolve to a valid sObject type")
        problems += self._check_field_change(sobject, field)
        if not problems:
            self._new[sobject.name.lower(), field.name.lower()] = field
        yield from problems

    def _check_field_change(self, sobject: SObject, field: Field) -> Iterator[str]:
        """Check what an existing field becomes, and that a formula reads stored fields."""
        old = sobject.find_field(field.name)
        if old and (old.kind is not field.kind or (old.formula is None) is not (field.formula is None)):
            yield f"Cannot update a field to a {str(field.kind).capitalize()} from something else"
        elif field.unique and not (old and old.unique) and self._has_duplicates(sobject, field):
            yield f"Duplicate values of {field.name} exist: the field cannot be made unique"
        for name in field.formula.fields if field.formula else ():
            source = self._find_field(sobject.name, name)
            if source is None or source.formula:
                yield f"Field {name} does not exist. Check spelling."

    def _has_duplicates(self, sobject: SObject, field: Field) -> bool:
        if self._org.model.find_object(sobject.name) is None:
            return False
        undeleted = (record for record in self._org.stored_records(sobject.name) if not record["IsDeleted"])
        keys = (field.index_key(record[field.name]) for record in undeleted if record.get(field.name) is not None)
        return max(Counter(keys).values(), default=0) > 1

    def _check_rule(self, component: Component) -> Iterator[str]:
        sobject = self._find_object(component.parent)
        if sobject is None:
            yield f"Entity of type '{component.parent}' is not available in this organization"
            return
        try:
            rule_from_xml(self._object_after_deployment(sobject), component.element)
        except MetadataError as error:
            yield str(error)
        yield from _check_length("errorMessage", component.first_text("errorMessage"), 255)

    def _check_list_view(self, component: Component) -> Iterator[str]:
        yield from _check_length("label", component.first_text("label"), LABEL_LENGTH)
        standard = _COLUMNS if component.parent == "Opportunity" else _COLUMNS_OF_CUSTOM_OBJECTS
        for name in (*component.all_texts("columns"), *component.all_texts("filters/field")):
            if name not in standard and self._find_field(component.parent, name) is None:
                yield f"Could not resolve list view column: {name}"

    # --- permission sets

    def _check_permission_set(self, component: Component) -> Iterator[str]:
        license_name = component.first_text("license")
        if license_name and license_name not in LICENSES:
            yield f"In field: license - no PermissionSetLicense named {license_name} found"
        pairs = zip(
            component.all_texts("fieldPermissions/field"), component.all_texts("fieldPermissions/editable"), strict=True
        )
        for full_name, editable in pairs:
            yield from self._check_field_permission(full_name, editable == "true")
        for name in component.all_texts("objectPermissions/object"):
            if self._find_object(name) is None:
                yield f"In field: object - no CustomObject named {name} found"
        for name in component.all_texts("tabSettings/tab"):
            if name not in self._tabs:
                yield f"In field: tab - no CustomTab named {name} found"
        yield from check_object_rights(component, self._masters)

    def _check_field_permission(self, full_name: str, editable: bool) -> Iterator[str]:
        sobject, _, name = full_name.partition(".")
        field = self._find_field(sobject, name)
        if field is None and not self._is_address(sobject, name):
            yield f"In field: field - no CustomField named {full_name} found"
        elif field is not None and (field.required or name in {"Name", "OwnerId"}):
            yield f"You cannot deploy to a required field: {full_name}"
        elif field is not None and editable and not field.writable:
            yield f"Field {full_name} is not editable"

    def _is_address(self, sobject: str, name: str) -> bool:
        """Whether the name is that of an address. The org stores its parts as fields; a permission names the whole."""
        return (
            name.endswith("Address") and self._find_field(sobject, f"{name.removesuffix('Address')}Street") is not None
        )

    # --- pages

    def _check_layout(self, component: Component) -> Iterator[str]:
        sobject = component.full_name.partition("-")[0]
        if self._find_object(sobject) is None:
            yield f"In field: Layout - no CustomObject named {sobject} found"
            return
        items = component.element.iterfind(".//{*}layoutItems")
        placed = [(item.findtext("{*}field"), item.findtext("{*}behavior")) for item in items]
        for name, times in Counter(name for name, _ in placed if name).items():
            if times > 1:
                yield f"Field:{name} appears more than once on the layout"
        for name, behavior in placed:
            if name:
                yield from self._check_layout_item(sobject, name, behavior)
        needed = _needed_on_layout(sobject) | self._required_fields(sobject)
        for name in sorted(needed - {name for name, _ in placed}):
            yield f"Layout must contain an item for required layout field: {name}"
        yield from self._check_related_lists(component, sobject)

    def _check_related_lists(self, component: Component, sobject: str) -> Iterator[str]:
        """Check the lists of records of custom objects, which are named by the object and its reference field."""
        for related in component.element.iterfind(".//{*}relatedLists"):
            name = related.findtext("{*}relatedList")
            child, _, column = name.partition(".")
            link = self._find_field(child, column)
            if child.endswith("__c") and (link is None or link.refers != sobject):
                yield f"Cannot find related list:{name}"
                continue
            for each in related.iterfind("{*}fields"):
                if child.endswith("__c") and each.text != "NAME" and self._find_field(child, each.text) is None:
                    yield f"Invalid field:{each.text} in related list:{name}"

    def _check_layout_item(self, sobject: str, name: str, behavior: str | None) -> Iterator[str]:
        field = self._find_field(sobject, name)
        if field is None:
            yield f"In field: field - no CustomField named {sobject}.{name} found"
        elif (field.formula or not field.writable or name in _LAYOUT_READ_ONLY) and behavior != "Readonly":
            yield f"Field:{name} must be Readonly"
        elif (
            field.writable
            and name in _required_on_layout(sobject) | self._required_fields(sobject)
            and behavior != "Required"
        ):
            yield f"Field:{name} must be Required"

    def _required_fields(self, sobject: str) -> frozenset[str]:
        """The custom fields that every save of the object needs, after this deployment."""
        definition = self._find_object(sobject)
        after = self._object_after_deployment(definition).fields.values() if definition else ()
        return frozenset(each.name for each in after if each.is_custom and each.required)

    def _check_page(self, component: Component) -> Iterator[str]:
        regions = component.all_texts("flexiPageRegions/name")
        instances = [
            *component.element.iterfind(".//{*}componentInstance"),
            *component.element.iterfind(".//{*}fieldInstance"),
        ]
        yield from _check_distinct("region", regions)
        yield from _check_distinct("identifier", [each.findtext("{*}identifier") or "" for each in instances])
        for value in component.element.iterfind(".//{*}componentInstanceProperties/{*}value"):
            if (value.text or "").startswith("Facet-") and value.text not in regions:
                yield f"The facet {value.text} is not defined on the page"
        for item in component.element.iterfind(".//{*}fieldInstance/{*}fieldItem"):
            name = (item.text or "").removeprefix("Record.")
            if self._find_field(component.first_text("sobjectType"), name) is None:
                yield f"We couldn't retrieve the design time component information for field {item.text}"

    # --- translations

    def _check_translation(self, component: Component) -> Iterator[str]:
        sobject, _, language = component.full_name.rpartition("-")
        if not self._languages:
            yield "Not available for deploy for this organization"
        elif language not in self._languages:
            yield f"The language {language} is not active in the Translation Workbench"
        for name, label in zip(component.all_texts("fields/name"), component.all_texts("fields/label"), strict=False):
            yield from _check_length("label", label, LABEL_LENGTH)
            if self._find_field(sobject, name) is None:
                yield f"In field: name - no CustomField named {sobject}.{name} found"


def _check_notification_type(component: Component) -> Iterator[str]:
    for name in ("customNotifTypeName", "masterLabel"):
        yield from _check_length(name, component.first_text(name), 80)
    for name in ("desktop", "mobile"):
        if component.first_text(name) not in {"true", "false"}:
            yield f"Required field is missing: {name}"


def _required_on_layout(sobject: str) -> frozenset[str]:
    return _LAYOUT_REQUIRED.get(sobject, _REQUIRED_BY_CUSTOM_OBJECTS)


def _needed_on_layout(sobject: str) -> frozenset[str]:
    return _required_on_layout(sobject) | _LAYOUT_PRESENT.get(sobject, frozenset())


def _check_field_elements(component: Component) -> Iterator[str]:
    """Check which elements a field of its type must and must not have."""
    kind, present = component.first_text("type"), {str(each.tag).rpartition("}")[2] for each in component.element}
    has_formula = "formula" in present
    needed = {"visibleLines"} if kind in {"LongTextArea", "Html"} else set()
    needed |= {"referenceTo"} if kind in {"Lookup", "MasterDetail"} else set()
    needed |= {"relationshipName"} if kind == "MasterDetail" else set()
    needed |= {"length"} if kind in _LENGTH_NEEDED and not has_formula else set()
    needed |= {"label"} | ({"defaultValue"} if kind == "Checkbox" and not has_formula else set())
    forbidden = ({"length"} if kind in _LENGTH_FORBIDDEN else set()) | _FORBIDDEN.get(kind, set())
    for name in sorted(needed - present):
        yield f"Must specify '{name}' for a CustomField of type {kind}"
    for name in sorted(forbidden & present):
        yield f"Can not specify '{name}' for a CustomField of type {kind}"
    if has_formula and kind == "Text" and component.first_text("formulaTreatBlanksAs") != "BlankAsBlank":
        yield "formulaTreatBlanksAs of a text formula must be BlankAsBlank"
    is_required = kind == "Lookup" and component.first_text("required") == "true"
    if is_required and component.first_text("deleteConstraint") not in {"Restrict", "Cascade"}:
        yield "Must specify either cascade delete or restrict delete for required lookup foreign key"
    if component.all_texts("valueSet/valueSetName") and component.all_texts("valueSet/valueSetDefinition"):
        yield "A value set has either a valueSetName or a valueSetDefinition"
    yield from _check_length("label", component.first_text("label"), LABEL_LENGTH)


def _check_length(name: str, text: str, limit: int) -> Iterator[str]:
    if len(text) > limit:
        yield f"Value too long for field: {name} maximum length is:{limit}"


def _check_distinct(kind: str, names: Sequence[str]) -> Iterator[str]:
    for name, times in Counter(name for name in names if name).items():
        if times > 1:
            yield f"The {kind} {name} is not unique on the page"
