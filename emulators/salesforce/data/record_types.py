"""Record types: which values of restricted picklists, stages among them, a record may have.

The rules: docs/reference/salesforce.md#person-accounts-and-record-types.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.field_shapes import reference_field
from emulators.salesforce.data.org_switch import OrgSwitch, Save
from emulators.salesforce.data.schema import Field, Kind, Record, SObject
from emulators.salesforce.data.setup_objects import record_type_object
from emulators.salesforce.data.tables import Tables

MASTER_ID = "012000000000000AAA"
OBJECT, COLUMN = "RecordType", "RecordTypeId"


@dataclass(slots=True)
class RecordTypes(OrgSwitch):
    """The record types of the org. `values` and `defaults` have ids of record types as keys; the rest is in the table.

    `values` holds the API values that a record type offers, by field; a field that it leaves out offers all.
    """

    values: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    defaults: set[str] = field(default_factory=set)

    def of_object(self, tables: Tables, sobject: str) -> list[Record]:
        """The record types of an object, oldest first."""
        if tables.model.find_object(OBJECT) is None:
            return []
        return [each for each in tables.stored_records(OBJECT) if each["SobjectType"] == sobject]

    def complete(self, save: Save) -> None:
        """Give a new record the default record type of its object; none if the caller may not choose that."""
        if save.old is not None or COLUMN in save.written or not save.definition.find_field(COLUMN):
            return
        types = (each for each in self.of_object(save.tables, save.definition.name) if save.is_offered(each))
        save.new[COLUMN] = next((each["Id"] for each in types if each["Id"] in self.defaults), None)

    def check(self, save: Save) -> None:
        """Refuse a record type that the object does not offer, and values that the record type does not offer."""
        record_type = save.new.get(COLUMN)
        if COLUMN in save.written and record_type is not None:
            self._check_offered(save, record_type)
        for each in self._written_picklists(save):
            value, offered = save.new[each.name], self.values.get(record_type or "", {}).get(each.name)
            if value is not None and offered is not None and value not in offered:
                message = f"{each.label}: bad value for restricted picklist field: {value}"
                raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [each.name])

    def _check_offered(self, save: Save, record_type: str) -> None:
        types = self.of_object(save.tables, save.definition.name)
        if not any(each["Id"] == record_type and save.is_offered(each) for each in types):
            message = f"Record Type ID: this ID value isn't valid for the user: {record_type}"
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", message, [COLUMN])

    @staticmethod
    def _written_picklists(save: Save) -> Iterator[Field]:
        for name in sorted(save.written):
            each = save.definition.fields[name.lower()]
            if each.kind is Kind.PICKLIST and each.restricted:
                yield each

    def offered_values(self, record_type: str, column: Field, values: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the (value, label) pairs of a picklist that a record type offers."""
        offered = self.values.get(record_type, {}).get(column.name)
        return [pair for pair in values if offered is None or pair[0] in offered]


def add_record_type(tables: Tables, sobject: SObject) -> None:
    """Make the table of record types, and the column of an object that names one."""
    if tables.model.find_object(OBJECT) is None:
        tables.add_object(record_type_object())
    if sobject.find_field(COLUMN) is None:
        tables.put_field(sobject.name, reference_field(OBJECT, OBJECT))
