"""Check that the mapping file and the picklists of the org know each other's values, for each record type too.

Stages are records of OpportunityStage (docs/reference/salesforce.md#opportunitystage). What a record type offers:
docs/reference/salesforce.md#person-accounts-and-record-types.
"""

from collections.abc import Iterator, Sequence

from shared.clients.salesforce.offered_values import offered_values
from shared.clients.salesforce.org_columns import active_values
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.domain.link_states import Mark
from shared.domain.org_shape import RecordType
from shared.mapping.attribute_field import AttributeField
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import LimitedText, StatusField, TextField
from shared.mapping.location_field import LocationField
from shared.mapping.money_field import CURRENCY_COLUMN
from shared.mapping.sales_stage_field import PERCENTAGES, SalesStageField
from shared.mapping.solutions_field import SolutionsField

MICROSOFT_STATUSES = ("Asked", "Accepted", "Declined", "Expired", "Won", "Lost", "Error")
"""The values of Microsoft Status, as the package has them."""
_ADD_STAGES = "Add the stage by hand in Setup (Opportunity, Stage), or name your own stages in the mapping file."
_MAP_STAGES = (
    "Add a [[stages]] entry for each to the mapping file (docs/mapping.md#stages): a deal in such a stage is held."
)
_OPEN_LIST = (
    'In the mapping file, set direction = "to_partner_center" for the field, or map it to a text column; or, in Setup, '
    "let the picklist take any value."
)
_OFFER = (
    "Add the values to the record type in Setup (Object Manager, Opportunity, Record Types; for stages, its sales "
    "process), or choose another record type or other stages in the mapping file."
)


def check_stages(installation: Installation) -> Verdict:
    """Check that the org has every stage of the mapping file and no other, and that the on-hold stage is open."""
    stages = installation.app.translation.file.stages
    soql = "SELECT ApiName, IsActive, IsClosed FROM OpportunityStage"
    records = installation.salesforce.query(soql).pages[0].records
    active = {str(record["ApiName"]).casefold(): record for record in records if record.get("IsActive")}
    mapped, on_hold = {stage.name.casefold() for stage in stages}, stages[0].name
    if missing := [stage.name for stage in stages if stage.name.casefold() not in active]:
        return failed(f"the org has no active stage {_quoted(missing)}", _ADD_STAGES)
    if active[on_hold.casefold()].get("IsClosed"):
        return failed(f"the on-hold stage {on_hold!r} is closed", "Make it an open stage in Setup.")
    if unmapped := [str(record["ApiName"]) for key, record in active.items() if key not in mapped]:
        return failed(f"the mapping file has no entry for the active stage {_quoted(unmapped)}", _MAP_STAGES)
    return ok(f"all {len(stages)} stages exist, and {on_hold!r} is open")


def check_picklists(installation: Installation) -> Verdict:
    """Check that each restricted picklist, into which the sync writes, takes every value that it writes there."""
    translation = installation.app.translation
    visible = installation.visible_fields("Opportunity")
    faults = [
        f"{name}: {column} is a restricted picklist, and a referral may have any text"
        for name, field in translation.fields.items()
        for column in _free_columns(field)
        if visible.get(column.lower(), {}).get("restrictedPicklist")
    ]
    faults += [
        f"{name}: {column} is a restricted picklist that lacks {_quoted(lacking)}"
        for name, field in translation.fields.items()
        for column, values in _listed_columns(field)
        if (description := visible.get(column.lower(), {})).get("restrictedPicklist")
        if (lacking := [value for value in values if value not in active_values(description)])
    ]
    if faults:
        return failed("; ".join(faults), _OPEN_LIST)
    return ok("no restricted picklist gets a text that it may not have")


def _free_columns(field: FieldBase) -> Iterator[str]:
    """Yield the columns of the opportunity that get any text from a referral."""
    is_free = isinstance(field, LimitedText | SolutionsField) and getattr(field, "values", None) is None
    if is_free and field.direction.owns(Side.PARTNER_CENTER):
        yield from (column for column in field.columns() if "." not in column and column != CURRENCY_COLUMN)


def _listed_columns(field: FieldBase) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the columns of the opportunity that get one of a few values from a referral, with these values."""
    if not field.direction.owns(Side.PARTNER_CENTER):
        return
    if isinstance(field, SalesStageField):
        yield field.salesforce, PERCENTAGES
    elif isinstance(field, AttributeField | TextField) and field.salesforce and field.values:
        yield field.salesforce, [*field.values]
    elif isinstance(field, LocationField):
        yield from ((column, field.table.allowed) for column in field.written_columns())


def check_record_types(installation: Installation) -> Verdict:
    """Check that record types offer what the sync writes: the stages of deals that arrive, and our lists of all."""
    if faults := [*_wrong_types(installation)]:
        return failed("; ".join(faults), "Correct the record types in the mapping file, or assign them to the user.")
    types = installation.org_shape.record_types.get("Opportunity", ())
    if not types:
        return ok("opportunities of this org have no record types")
    chosen = installation.app.translation.file.new.Opportunity.record_type
    of_arrivals = installation.org_shape.record_type("Opportunity", chosen) if chosen else _default_of(types)
    if chosen and not of_arrivals:
        known = ", ".join(each.name for each in types)
        return failed(f"the org has no record type {chosen!r} that the user may use; it has {known}", _OFFER)
    return _verdict_on(installation, types, of_arrivals)


def _wrong_types(installation: Installation) -> Iterator[str]:
    """Yield which record types of the mapping file make no account of a company, or no contact."""
    for sobject in ("Account", "Contact"):
        name = installation.app.translation.file.new.by_object[sobject].record_type
        known = installation.org_shape.record_type(sobject, name) if name else None
        if name and known is None:
            yield f"new.{sobject}.record_type: the user has no record type {name!r}"
        elif known and known.is_person:
            yield f"new.{sobject}.record_type: {name!r} makes people, and the sync makes companies"


def _default_of(types: tuple[RecordType, ...]) -> RecordType | None:
    return next((each for each in types if each.is_default), None)


def _verdict_on(installation: Installation, types: tuple[RecordType, ...], arrivals: RecordType | None) -> Verdict:
    file = installation.app.translation.file
    stage = next(field.salesforce for field in file.fields.values() if isinstance(field, StatusField))
    wanted = [(each, column, values) for each in types for column, values in _our_lists(installation)]
    wanted += [(arrivals, stage, _stages_written(installation))] if arrivals else []
    faults, untold = [], []
    for record_type, column, values in wanted:
        offered = offered_values(installation.salesforce, "Opportunity", record_type.id, column)
        if offered is None:
            untold.append(f"{column} of {record_type.name}")
        elif lacking := [value for value in values if value not in offered]:
            faults.append(f"{record_type.name} does not offer {_quoted(lacking)} of {column}")
    if faults:
        return failed("; ".join(faults), _OFFER)
    if untold:
        return skipped(f"the org does not tell the user which values it offers: {', '.join(untold)}")
    return ok(f"{len(types)} record types offer what the sync writes")


def _our_lists(installation: Installation) -> Iterator[tuple[str, list[str]]]:
    """Yield each column of ours into which the sync writes one of a few values, with these values.

    Microsoft Status counts only where the org has it and restricts it: a record type limits no other column.
    """
    ours = installation.app.translation.file.ours
    yield ours.status, [str(mark) for mark in Mark]
    if installation.visible_fields("Opportunity").get(ours.microsoft_status.lower(), {}).get("restrictedPicklist"):
        yield ours.microsoft_status, [*MICROSOFT_STATUSES]


def _stages_written(installation: Installation) -> list[str]:
    """Return the stages that a status of Partner Center can write."""
    table = installation.app.translation.file.stage_table()
    names = (table.stage_for(status) for stage in table for status in (stage.status, *stage.also))
    return sorted({name for name in names if name})


def _quoted(names: list[str]) -> str:
    return ", ".join(map(repr, names))
