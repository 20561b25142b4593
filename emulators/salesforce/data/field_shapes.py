"""Build fields and objects of the usual shapes."""

from emulators.salesforce.data.schema import Field, Kind, SObject


def text_field(name: str, length: int, label: str = "", *, required: bool = False, writable: bool = True) -> Field:
    """A text field."""
    return Field(name, Kind.STRING, label or name, length, required=required, writable=writable)


def long_text_field(name: str, length: int) -> Field:
    """A long text area."""
    return Field(name, Kind.TEXTAREA, name, length)


def checkbox_field(name: str, *, writable: bool = True, default: bool = False) -> Field:
    """A checkbox."""
    return Field(name, Kind.BOOLEAN, name, default=default, writable=writable)


def picklist_field(name: str, *values: str, required: bool = False, writable: bool = True) -> Field:
    """A picklist whose labels are its values."""
    pairs = tuple((value, value) for value in values)
    return Field(name, Kind.PICKLIST, name, 255, values=pairs, required=required, writable=writable)


def phone_field(name: str) -> Field:
    """A telephone number."""
    return Field(name, Kind.PHONE, name, 40)


def reference_field(
    relationship: str,
    sobject: str,
    *,
    required: bool = False,
    fixed: bool = False,
    cascade: bool = False,
    writable: bool = True,
    master: bool = False,
) -> Field:
    """A standard lookup, which ends in `Id`."""
    return Field(
        f"{relationship}Id",
        Kind.REFERENCE,
        f"{relationship} ID",
        18,
        refers=sobject,
        relationship=relationship,
        required=required,
        fixed=fixed,
        cascade=cascade,
        writable=writable,
        is_master=master,
    )


def _system_fields() -> tuple[Field, ...]:
    stamps = (Field(n, Kind.DATETIME, n, writable=False) for n in ("CreatedDate", "LastModifiedDate", "SystemModstamp"))
    return (
        Field("Id", Kind.ID, "Record ID", 18, writable=False),
        checkbox_field("IsDeleted", writable=False),
        *stamps,
        reference_field("CreatedBy", "User", writable=False),
        reference_field("LastModifiedBy", "User", writable=False),
    )


def new_object(
    name: str, prefix: str, *fields: Field, plural: str = "", setup: bool = False, hard: bool = False
) -> SObject:
    """An object with the fields that every object has."""
    sobject = SObject(name, prefix, name, plural or f"{name}s", setup=setup, hard_delete=hard)
    sobject.add_fields(*_system_fields(), *fields)
    return sobject


def currency_code_field() -> Field:
    """The currency of a record, in an org with several currencies."""
    return Field(
        "CurrencyIsoCode",
        Kind.PICKLIST,
        "Currency ISO Code",
        3,
        values_from="CurrencyType",
        restricted=True,
        default="USD",
    )
