"""What the service refuses in a component although the schema lets it through (reference/salesforce.md 5.2, 5.4, 5.6).

Texts are the service's own where a source has them; the others are marked in docs/emulators-salesforce.md as inferred.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Field, SObject
from emulators.salesforce.data.validation_rules import rule_of
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.source_fields import MetadataError, field_of

LICENSES = frozenset({"Salesforce API Integration", "Salesforce", "Salesforce Platform"})
LABEL_LENGTH = 40
_LENGTH_NEEDED = frozenset({"Text", "LongTextArea", "Html"})
_LENGTH_FORBIDDEN = frozenset({"Url", "TextArea", "Checkbox", "Picklist", "Date", "DateTime", "Email", "Phone"})
_LAYOUT_REQUIRED = frozenset({"Name", "CloseDate", "StageName"})
_LAYOUT_READ_ONLY = frozenset({"CreatedById", "LastModifiedById"})
_COLUMNS = frozenset(
    {"OPPORTUNITY.NAME", "ACCOUNT.NAME", "OPPORTUNITY.STAGE_NAME", "OPPORTUNITY.AMOUNT", "OPPORTUNITY.CLOSE_DATE",
     "OPPORTUNITY.PROBABILITY", "CORE.USERS.ALIAS"}
)  # fmt: skip


class Judge:
    """Judges components one after the other; a field that passed is known to those that come later."""

    def __init__(self, org: Org, languages: frozenset[str]) -> None:
        """`languages` are those of the Translation Workbench, none where it is off."""
        self._org, self._languages = org, languages
        self._new: dict[tuple[str, str], Field] = {}
        self._judges: dict[str, Callable[[Component], Iterator[str]]] = {
            "CustomField": self._field,
            "ValidationRule": self._rule,
            "ListView": self._list_view,
            "PermissionSet": self._permission_set,
            "Layout": self._layout,
            "FlexiPage": self._page,
            "CustomObjectTranslation": self._translation,
        }

    def problems(self, component: Component) -> list[str]:
        """What is wrong with a component, nothing if it may be deployed."""
        return list(self._judges[component.type](component))

    # --- what is known

    def _object(self, name: str) -> SObject | None:
        return self._org.model.find(name)

    def _find(self, sobject: str, name: str) -> Field | None:
        definition = self._object(sobject)
        there = definition.find(name) if definition else None
        return self._new.get((sobject.lower(), name.lower())) or there

    def _after(self, sobject: SObject) -> SObject:
        """The object as it will be."""
        fields = {name: field for (owner, name), field in self._new.items() if owner == sobject.name.lower()}
        return SObject(sobject.name, sobject.prefix, sobject.label, sobject.plural, {**sobject.fields, **fields})

    # --- fields and rules

    def _field(self, component: Component) -> Iterator[str]:
        sobject = self._object(component.parent)
        if sobject is None:
            yield f"Entity of type '{component.parent}' is not available in this organization"
            return
        wrong = list(_shape(component))
        try:
            field = field_of(component.element)
        except MetadataError as error:
            yield str(error)
            return
        wrong += self._change(sobject, field)
        if not wrong:
            self._new[sobject.name.lower(), field.name.lower()] = field
        yield from wrong

    def _change(self, sobject: SObject, field: Field) -> Iterator[str]:
        """What an existing field cannot become, and a formula that reads what is not there."""
        old = sobject.find(field.name)
        if old and (old.kind is not field.kind or (old.formula is None) is not (field.formula is None)):
            yield f"Cannot update a field to a {str(field.kind).capitalize()} from something else"
        elif field.unique and not (old and old.unique) and self._shared(sobject, field):
            yield f"Duplicate values of {field.name} exist: the field cannot be made unique"
        for name in field.formula.fields if field.formula else ():
            read = self._find(sobject.name, name)
            if read is None or read.formula:
                yield f"Field {name} does not exist. Check spelling."

    def _shared(self, sobject: SObject, field: Field) -> bool:
        rows = [row for row in self._org.rows(sobject.name) if not row["IsDeleted"] and row.get(field.name) is not None]
        return max(Counter(field.key(row[field.name]) for row in rows).values(), default=0) > 1

    def _rule(self, component: Component) -> Iterator[str]:
        sobject = self._object(component.parent)
        if sobject is None:
            yield f"Entity of type '{component.parent}' is not available in this organization"
            return
        try:
            rule_of(self._after(sobject), component.element)
        except MetadataError as error:
            yield str(error)
        yield from _too_long("errorMessage", component.text("errorMessage"), 255)

    def _list_view(self, component: Component) -> Iterator[str]:
        yield from _too_long("label", component.text("label"), LABEL_LENGTH)
        for name in (*component.texts("columns"), *component.texts("filters/field")):
            if name not in _COLUMNS and self._find(component.parent, name) is None:
                yield f"Could not resolve list view column: {name}"

    # --- permission sets

    def _permission_set(self, component: Component) -> Iterator[str]:
        license_name = component.text("license")
        if license_name and license_name not in LICENSES:
            yield f"In field: license - no PermissionSetLicense named {license_name} found"
        pairs = zip(
            component.texts("fieldPermissions/field"), component.texts("fieldPermissions/editable"), strict=True
        )
        for full_name, editable in pairs:
            yield from self._field_permission(full_name, editable == "true")
        yield from _object_permissions(component)

    def _field_permission(self, full_name: str, editable: bool) -> Iterator[str]:
        sobject, _, name = full_name.partition(".")
        field = self._find(sobject, name)
        if field is None and not self._is_compound(sobject, name):
            yield f"In field: field - no CustomField named {full_name} found"
        elif field is not None and (field.required or name in {"Name", "OwnerId"}):
            yield f"You cannot deploy to a required field: {full_name}"
        elif field is not None and editable and not field.writable:
            yield f"Field {full_name} is not editable"

    def _is_compound(self, sobject: str, name: str) -> bool:
        """Whether it is an address, whose parts are fields: permissions name the whole."""
        return name.endswith("Address") and self._find(sobject, f"{name.removesuffix('Address')}Street") is not None

    # --- pages

    def _layout(self, component: Component) -> Iterator[str]:
        sobject = component.full_name.partition("-")[0]
        if self._object(sobject) is None:
            yield f"In field: Layout - no CustomObject named {sobject} found"
            return
        items = component.element.iterfind(".//{*}layoutItems")
        placed = [(item.findtext("{*}field"), item.findtext("{*}behavior")) for item in items]
        for name, times in Counter(name for name, _ in placed if name).items():
            if times > 1:
                yield f"Field:{name} stands more than once on the layout"
        for name, behavior in placed:
            if name:
                yield from self._layout_item(sobject, name, behavior)
        for name in sorted(_LAYOUT_REQUIRED - {name for name, _ in placed}):
            yield f"Layout must contain an item for required layout field: {name}"

    def _layout_item(self, sobject: str, name: str, behavior: str | None) -> Iterator[str]:
        field = self._find(sobject, name)
        if field is None:
            yield f"In field: field - no CustomField named {sobject}.{name} found"
        elif (field.formula or name in _LAYOUT_READ_ONLY) and behavior != "Readonly":
            yield f"Field:{name} must be Readonly"
        elif name in _LAYOUT_REQUIRED and behavior != "Required":
            yield f"Field:{name} must be Required"

    def _page(self, component: Component) -> Iterator[str]:
        regions = component.texts("flexiPageRegions/name")
        instances = [
            *component.element.iterfind(".//{*}componentInstance"),
            *component.element.iterfind(".//{*}fieldInstance"),
        ]
        yield from _twice("region", regions)
        yield from _twice("identifier", [each.findtext("{*}identifier") or "" for each in instances])
        for value in component.element.iterfind(".//{*}componentInstanceProperties/{*}value"):
            if (value.text or "").startswith("Facet-") and value.text not in regions:
                yield f"The facet {value.text} is not defined on the page"
        for item in component.element.iterfind(".//{*}fieldInstance/{*}fieldItem"):
            name = (item.text or "").removeprefix("Record.")
            if self._find(component.text("sobjectType"), name) is None:
                yield f"We couldn't retrieve the design time component information for field {item.text}"

    # --- translations

    def _translation(self, component: Component) -> Iterator[str]:
        sobject, _, language = component.full_name.rpartition("-")
        if not self._languages:
            yield "Not available for deploy for this organization"
        elif language not in self._languages:
            yield f"The language {language} is not active in the Translation Workbench"
        for name, label in zip(component.texts("fields/name"), component.texts("fields/label"), strict=False):
            yield from _too_long("label", label, LABEL_LENGTH)
            if self._find(sobject, name) is None:
                yield f"In field: name - no CustomField named {sobject}.{name} found"


def _shape(component: Component) -> Iterator[str]:
    """The rules of one field's own elements."""
    kind, has = component.text("type"), {str(each.tag).rpartition("}")[2] for each in component.element}
    formula = "formula" in has
    needed = {"visibleLines"} if kind in {"LongTextArea", "Html"} else set()
    needed |= {"length"} if kind in _LENGTH_NEEDED and not formula else set()
    needed |= {"label"} | ({"defaultValue"} if kind == "Checkbox" and not formula else set())
    forbidden = ({"length"} if kind in _LENGTH_FORBIDDEN else set()) | ({"required"} if kind == "Checkbox" else set())
    for name in sorted(needed - has):
        yield f"Must specify '{name}' for a CustomField of type {kind}"
    for name in sorted(forbidden & has):
        yield f"Can not specify '{name}' for a CustomField of type {kind}"
    if formula and kind == "Text" and component.text("formulaTreatBlanksAs") != "BlankAsBlank":
        yield "formulaTreatBlanksAs of a text formula must be BlankAsBlank"
    if component.texts("valueSet/valueSetName") and component.texts("valueSet/valueSetDefinition"):
        yield "A value set has either a valueSetName or a valueSetDefinition"
    yield from _too_long("label", component.text("label"), LABEL_LENGTH)


def _object_permissions(component: Component) -> Iterator[str]:
    """Contact and Opportunity hang below Account: who reads them reads accounts (reference/salesforce.md 5.4)."""
    names = component.texts("objectPermissions/object")
    granted = dict(zip(names, component.texts("objectPermissions/allowRead"), strict=True))
    for name in ("Contact", "Opportunity"):
        if granted.get(name) == "true" and granted.get("Account") != "true":
            yield f"Permission Read {name} depends on permission(s): Read Account"


def _too_long(name: str, text: str, limit: int) -> Iterator[str]:
    if len(text) > limit:
        yield f"Value too long for field: {name} maximum length is:{limit}"


def _twice(what: str, names: Sequence[str]) -> Iterator[str]:
    for name, times in Counter(name for name in names if name).items():
        if times > 1:
            yield f"The {what} {name} is not unique on the page"
