"""Define the schema of the mapping file. `validation.py` reads and checks a file, and `field_types.py` has the fields.

The meaning of each key: docs/mapping.md. In error messages, a `description` in the schema says what a text must be, and
`examples` are the texts that are allowed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from shared.domain.deal import SHOWN_AMOUNT, VISIBILITY, Side, Status
from shared.domain.latches import SUBSTATUSES
from shared.domain.org_shape import OrgQuestion, OrgShape
from shared.domain.sharing import LABEL_OF_VISIBLE
from shared.domain.stage_table import Stage, StageTable
from shared.mapping.attribute_field import AttributeField
from shared.mapping.company_field import CompanyField
from shared.mapping.field_base import FieldBase, MappingTable, SalesforcePath
from shared.mapping.field_types import DateField, NotesField, StatusField, TextField
from shared.mapping.lead_columns import LeadTable
from shared.mapping.location_field import LOCATION, LOCATION_LABEL, LocationField, LocationTable
from shared.mapping.money_field import MoneyField, foreign_money_field
from shared.mapping.new_records import NewRecords
from shared.mapping.owner_rules import NOTIFICATION_TYPE, Notice, OwnerRule
from shared.mapping.people_fields import ContactsField
from shared.mapping.polls import ACCOUNT, OPPORTUNITY
from shared.mapping.sales_stage_field import SalesStageField
from shared.mapping.seller_field import SellerField
from shared.mapping.shown_solutions import shown_solutions
from shared.mapping.size_field import SizeField
from shared.mapping.solutions_field import SolutionsField
from shared.mapping.visibility_field import VisibilityField

DEFAULT = Path(__file__).with_name("default.toml")

AnyField = Annotated[
    TextField
    | NotesField
    | DateField
    | MoneyField
    | StatusField
    | SolutionsField
    | CompanyField
    | ContactsField
    | SizeField
    | SalesStageField
    | AttributeField
    | SellerField,
    Field(discriminator="type"),
]
REQUIRED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("text", "notes"),
    "account": ("company",),
    "money": ("money",),
    "closing": ("date",),
    "solutions": ("solutions",),
    "team": ("seller",),
    "status": ("status",),
}
"""The fields that every new referral needs (`shared.domain.obstacles.REQUIRED`), each with the types it can have."""

LEGAL_STATUSES = tuple(f"{status}/{substatus}" for status, known in SUBSTATUSES.items() for substatus in sorted(known))


def _legal_status(text: str) -> str:
    if text not in LEGAL_STATUSES:
        raise ValueError
    return text


StatusText = Annotated[str, AfterValidator(_legal_status), Field(examples=list(LEGAL_STATUSES))]


class Ours(MappingTable):
    """The fields of the opportunity that belong to the connector itself."""

    flag: SalesforcePath
    identifier: SalesforcePath
    link: SalesforcePath
    status: SalesforcePath
    audit: SalesforcePath
    help: SalesforcePath
    partner_center_amount: SalesforcePath = "Partner_Center_Amount__c"
    partner_center_currency: SalesforcePath = "Partner_Center_Currency__c"
    reason: SalesforcePath = "Closing_Reason__c"
    reason_details: SalesforcePath = "Closing_Reason_Details__c"
    visible: SalesforcePath = "Visible_to_Microsoft__c"
    notes_to_microsoft: SalesforcePath = "Notes_to_Microsoft__c"
    consents: SalesforcePath = "Customer_Consents__c"
    answer_by: SalesforcePath = "Answer_By__c"
    microsoft_status: SalesforcePath = "Microsoft_Status__c"
    microsoft_crm_identifier: SalesforcePath = "Microsoft_CRM_Identifier__c"
    microsoft_seller: SalesforcePath = "Microsoft_Seller__c"
    microsoft_notes: SalesforcePath = "Microsoft_Notes__c"
    microsoft_answer_by: SalesforcePath = "Microsoft_Answer_By__c"

    @property
    def by_role(self) -> dict[str, str]:
        """The columns by their keys in the mapping file."""
        return self.model_dump()

    def read_columns(self, org: OrgShape | None) -> tuple[str, ...]:
        """The columns that are read with an opportunity, as far as the org has them; `org` is None before it was asked.

        Without flag and identifier nothing can be read.
        """
        answers = (self.reason, self.reason_details)
        shown = (self.status, self.answer_by)
        others = (self.help, *shown, *answers, self.visible, self.notes_to_microsoft, self.consents)
        seen = (column for column in others if org is None or not org.hides(column))
        return self.flag, self.identifier, *seen

    @property
    def amount_columns(self) -> tuple[str, str]:
        """The columns that show an amount in a currency that the org cannot hold."""
        return self.partner_center_amount, self.partner_center_currency


class StageTableEntry(MappingTable):
    """One entry of the stage table."""

    name: str = Field(min_length=1)
    status: StatusText
    reason: str | None = None
    also: tuple[StatusText, ...] = ()
    arrives: bool = False

    def to_stage(self) -> Stage:
        """Return the entry as the domain uses it."""
        return Stage(
            self.name,
            _status_from(self.status, self.reason),
            tuple(_status_from(text) for text in self.also),
            self.arrives,
        )


def _status_from(text: str, reason: str | None = None) -> Status:
    status, _, substatus = text.partition("/")
    return Status(status, substatus, reason)


class MappingFile(MappingTable):
    """A whole mapping file."""

    version: Literal[1]
    ours: Ours
    fields: Mapping[str, AnyField]
    stages: tuple[StageTableEntry, ...] = Field(min_length=1)
    owners: tuple[OwnerRule, ...] = ()
    notify_owner: Notice = "notification"
    new: NewRecords = NewRecords()
    lead: LeadTable = LeadTable()
    location: LocationTable | None = None

    @property
    def content(self) -> str:
        """What the hash of the file is made of. Later parts of the schema that a file leaves out do not change it."""
        later = ("owners", "notify_owner", "new", "location")
        left_out: dict[str, Any] = {key: True for key in later if getattr(self, key) == _default_of(key)}
        left_out["lead"] = True  # no base depends on it
        left_out["fields"] = {name: field.later_keys for name, field in self.fields.items() if field.later_keys}
        return self.model_dump_json(exclude=left_out)

    def stage_table(self) -> StageTable:
        """Return the stage table as the domain uses it."""
        return StageTable(tuple(entry.to_stage() for entry in self.stages))

    @property
    def question(self) -> OrgQuestion:
        """What the org is asked about this file's columns."""
        ours = self.ours.by_role
        mapped = (path for field in self.fields.values() for path in (*field.columns(), *field.helpful_columns()))
        columns = next(field.address_columns for field in self.fields.values() if isinstance(field, CompanyField))
        notifies = self.notifies_owners and self.notify_owner == "notification"
        notification = NOTIFICATION_TYPE if notifies else ""
        stages = (field.salesforce for field in self.fields.values() if isinstance(field, StatusField))
        of_record_type = (self.new.Opportunity.record_type or "", next(stages, ""))
        polled = (query.path for field in self.fields.values() for query in field.polls())
        stamps = (OPPORTUNITY.path, ACCOUNT.path, *polled)
        located = self.location.paths if self.location else ()
        paths = frozenset((*ours.values(), *mapped, *located, *self.new.paths, *stamps))
        return OrgQuestion(ours, paths, *columns, notification, *of_record_type)

    @property
    def notifies_owners(self) -> bool:
        """Whether a deal that arrives gets an owner by a rule, whom the sync tells of it."""
        return bool(self.owners) and self.notify_owner != "none"

    def notice_type(self, org: OrgShape | None) -> tuple[bool, str | None]:
        """Return whether owners are told in this org, and the id of the notification type; None makes a task.

        They are not told where the package lacks the type, which doctor, log and health report say.
        """
        if not self.notifies_owners or self.notify_owner == "task":
            return self.notifies_owners, None
        type_id = org.notifications.get(NOTIFICATION_TYPE) if org else None
        return type_id is not None, type_id

    def fields_with_stages(self, org: OrgShape | None = None, intent: str = "", at: str = "") -> dict[str, FieldBase]:
        """Return the fields by name, as this org needs them; the status field has the stage table.

        `intent` and `at` are the settings for marketplace intent and location. An attribute without a column is no
        field: it is a constant. The table of locations makes one more field, and so does an org with the columns for
        amounts in other currencies, or for visibility.
        """
        table, fields = self.stage_table(), dict[str, FieldBase]()
        for name, field in self.fields.items():
            if isinstance(field, AttributeField) and field.salesforce is None:
                continue
            fields[name] = field
            if isinstance(field, StatusField):
                fields[name] = field.with_stages(table)
            elif isinstance(field, SellerField):
                fields[name] = field.for_org(org)
            elif isinstance(field, CompanyField) and org is not None:
                fields[name] = field.for_org(org.addresses)
            elif isinstance(field, AttributeField):
                fields[name] = field.with_setting(intent)
            elif isinstance(field, SalesStageField) and org is not None:
                fields[name] = field.for_org(org)
            elif isinstance(field, MoneyField) and org is not None:
                fields[name] = money = field.for_org(org.currencies)
                if org.currencies.has_amount_fields and field.direction.owns(Side.PARTNER_CENTER):
                    fields.setdefault(SHOWN_AMOUNT, foreign_money_field(money, *self.ours.amount_columns))
        return {**fields, **{name: field for name, field in self._fields_of_tables(org, at) if name not in fields}}

    def _fields_of_tables(self, org: OrgShape | None, at: str) -> Iterator[tuple[str, FieldBase]]:
        """Yield the fields that no table of `fields` has."""
        if org is not None and not org.hides(self.ours.visible):
            yield VISIBILITY, VisibilityField(label=LABEL_OF_VISIBLE, salesforce=self.ours.visible)
        if self.location is not None:
            known = self.ours.identifier
            yield LOCATION, LocationField(label=LOCATION_LABEL, table=self.location, setting=at, identifier=known)
        yield from shown_solutions(self.fields, org).items()


def _default_of(key: str) -> object:
    return MappingFile.model_fields[key].default
