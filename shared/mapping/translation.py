"""The mapping at work: rows and referrals to deals, and deals to what each side is sent."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Person, Side, Value
from shared.domain.field_rules import Direction, Rules
from shared.domain.link_states import Mark
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import Unavailable
from shared.mapping.field_types import FieldBase, SolutionsField, StatusField, UnreadableValue
from shared.mapping.paths import Json, in_referral, in_row, moment, set_value
from shared.mapping.people_fields import CompanyField, ContactsField
from shared.mapping.schema import DEFAULT
from shared.mapping.validation import load_mapping

if TYPE_CHECKING:
    from shared.domain.plan import Change  # with it comes all that a run needs and the start does not

STAMPS = {"opportunity": "SystemModstamp", "account": "Account.SystemModstamp"}
"""The stamp of each polling query (protocol.md section 8)."""
MAX_COMMIT_TIME = timedelta(seconds=30)
"""How long a save may last: until then a row can come to hold something else under the very same stamp."""


class Constants(Struct, frozen=True):
    """What every referral we create carries, from the settings (reference/partner-center.md 5.1)."""

    location: str
    qualification: str = "SalesQualified"
    marketplace_intent: str = "HaveNotDecided"
    referral_link: str = "https://partner.microsoft.com/referrals/v2/inbox?id={id}"
    consent_to_contact: bool = True
    consent_to_share_with_others: bool = True


class Translation:
    """One mapping file, ready for use. `hash` tells which file made a decision."""

    def __init__(self, constants: Constants, path: Path = DEFAULT) -> None:
        """Raises ConfigurationError."""
        self.file, self.hash = load_mapping(path)
        self.constants = constants
        self.fields = self.file.fields_with_stages()
        self.rules = Rules({name: field.to_rule(name) for name, field in self.fields.items()})

    # --- Salesforce to deal

    @cached_property
    def selects(self) -> tuple[str, ...]:
        """The select items of an opportunity read under the lock."""
        ours = self.file.ours
        fixed = ("Id", "LastModifiedDate", *STAMPS.values(), ours.flag, ours.identifier, ours.help, ours.status)
        mapped = (item for field in self._active_fields() for item in field.select_items())
        return tuple(dict.fromkeys((*fixed, *mapped)))

    def _active_fields(self) -> tuple[FieldBase, ...]:
        return tuple(field for field in self.fields.values() if field.direction is not Direction.OFF)

    def opportunity(self, row: Json, read_at: datetime) -> Opportunity:
        """An opportunity from a row read at `read_at` (server time)."""
        deal, problems = self._read_values(lambda field: field.read_record(row), self._fields_in_record(row))
        ours, modified = self.file.ours, moment(row["LastModifiedDate"])
        stamps = {query: in_row(row, path) for query, path in STAMPS.items()}
        return Opportunity(
            str(row["Id"]),
            deal,
            flagged=bool(row.get(ours.flag)),
            modified=modified,
            settled=_is_second_over(modified, read_at),
            referral_id=str(row[ours.identifier]).lower() if row.get(ours.identifier) else None,
            stamps={
                query: stamp
                for query, stamp in stamps.items()
                if stamp and _is_second_over(moment(stamp) + MAX_COMMIT_TIME, read_at)
            },
            problems=problems,
            asks_help=bool(row.get(ours.help)),
        )

    def _fields_in_record(self, row: Json) -> dict[str, FieldBase]:
        """Fields whose columns the row has: a read-back of plain columns has no parents and no children."""
        return {
            name: field
            for name, field in self.fields.items()
            if field.direction is not Direction.OFF and all(_has_field(row, item) for item in field.select_items())
        }

    # --- Partner Center to deal

    def referral(self, referral: Json) -> Referral:
        """A referral from its representation. Raises Unavailable where it has no id, eTag or date of change."""
        try:
            return self._referral_from(referral)
        except (KeyError, ValueError) as error:
            raise Unavailable(f"a referral that cannot be read: {type(error).__name__}") from None

    def _referral_from(self, referral: Json) -> Referral:
        used = {name: field for name, field in self.fields.items() if field.direction is not Direction.OFF}
        deal, problems = self._read_values(lambda field: field.read_referral(referral), used)
        status = next((field.raw_status(referral) for field in used.values() if isinstance(field, StatusField)), None)
        return Referral(
            _required_text(referral, "id").lower(),
            _required_text(referral, "eTag"),
            deal,
            moment(referral["updatedDateTime"]),
            status,
            referral.get("engagementId"),
            referral.get("organizationId"),
            moment(created) if (created := referral.get("createdDateTime")) else None,
            referral.get("externalReferenceId"),
            problems,
            is_lead=is_lead(referral),
            is_target_microsoft=is_target_microsoft(referral),
        )

    def _read_values(
        self, read: Callable[[FieldBase], Value | None], fields: Mapping[str, FieldBase]
    ) -> tuple[Deal, dict[str, Cause]]:
        """The readable values, and the cause for each unreadable one: that field is left alone."""
        values: dict[str, Value | None] = {}
        problems: dict[str, Cause] = {}
        for name, field in fields.items():
            try:
                values[name] = read(field)
            except UnreadableValue as error:
                problems[name] = error.cause
        return Deal(values), problems

    # --- deal to Salesforce

    def values(self, changes: tuple["Change", ...]) -> dict[str, Any]:
        """Row values for changes."""
        return {
            column: value
            for change in changes
            for column, value in self.fields[change.field].record_values(change.new).items()
        }

    def mark(self, mark: Mark, audit: str) -> dict[str, Any]:
        """Row values of the fields that tell how the sync stands."""
        return {self.file.ours.status: str(mark), self.file.ours.audit: audit}

    def identity(self, referral_id: str) -> dict[str, Any]:
        """Row values of the fields that name the referral."""
        link = self.constants.referral_link.format(id=referral_id)
        return {self.file.ours.identifier: referral_id, self.file.ours.link: link}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Plain columns for a read-back: what `selects` has, without parents and children."""
        return tuple(item for item in self.selects if "." not in item and not item.startswith("("))

    def new_opportunity(self, deal: Deal) -> dict[str, Any]:
        """Row values of a new opportunity, without account, contact and the connector's own fields."""
        plain = {
            name: field
            for name, field in self.fields.items()
            if "create" in field.when and field.direction.owns(Side.PARTNER_CENTER) and not _is_record(field)
        }
        return {
            column: value
            for name, field in plain.items()
            if deal.get(name) is not None or isinstance(field, StatusField)
            for column, value in field.record_values(deal.get(name)).items()
            if value is not None
        } | {self.file.ours.flag: True}

    @property
    def country_column(self) -> str:
        """The account's column that holds the two-letter country."""
        field = next(field for field in self.fields.values() if isinstance(field, CompanyField))
        return field.salesforce.country.rpartition(".")[2]

    def account(self, company: Company) -> dict[str, Any]:
        """Row values of a new Account."""
        field = next(field for field in self.fields.values() if isinstance(field, CompanyField))
        return field.account_values(company)

    def contact(self, person: Person) -> dict[str, Any]:
        """Row values of a new Contact."""
        field = next(field for field in self.fields.values() if isinstance(field, ContactsField))
        return field.contact_values(person)

    def cut_solutions(self, deal: Deal) -> tuple[int, int]:
        """How many of the deal's solution ids fit the text field, and how many there are."""
        for name, field in self.fields.items():
            ids = deal.get(name)
            if isinstance(field, SolutionsField) and isinstance(ids, tuple):
                return len(field.ids_that_fit(tuple(str(item) for item in ids))), len(ids)
        return 0, 0

    # --- deal to Partner Center

    def contacts_left_out(self, deal: Deal) -> int:
        """How many contacts of the deal a new referral does not carry, because Partner Center would refuse them."""
        listed = (deal.get(name) for name, field in self.fields.items() if isinstance(field, ContactsField))
        people = (person for value in listed if isinstance(value, tuple) for person in value)
        return sum(isinstance(person, Person) and not ContactsField.is_complete(person) for person in people)

    def operations(self, changes: tuple["Change", ...]) -> list[Json]:
        """JSON Patch operations for changes: the differing paths only."""
        return [one for change in changes for one in self.fields[change.field].patch_operations(change.new, change.old)]

    def new_referral(self, deal: Deal, external_reference: str) -> dict[str, Any]:
        """The body of a new private referral (no help asked, not visible to Microsoft's sellers)."""
        body: dict[str, Any] = {
            "externalReferenceId": external_reference,
            "qualification": self.constants.qualification,
            "type": "Independent",
            "mpnId": self.constants.location,
            "consent": {
                "consentToToShareInfoWithOthers": self.constants.consent_to_share_with_others,
                "consentToContact": self.constants.consent_to_contact,
                "consentToShareReferralWithMicrosoftSellers": False,
            },
            "target": [],
        }
        for name, field in self.fields.items():
            if "create" in field.when and field.direction.owns(Side.SALESFORCE) and name in deal:
                field.add_to_body(deal[name], body)
        intent = {"id": self.constants.marketplace_intent, "type": "CustomerMarketplaceIntent"}
        set_value(body, "/details/requirements/additionalRequirements/attributes", [intent])
        return body


def is_target_microsoft(referral: Json) -> bool:
    """Whether this is an invitation to Microsoft: its own record of the deal, or a stamp of it."""
    targets = referral.get("target")
    listed = targets if isinstance(targets, list) else []
    return any(isinstance(target, Mapping) and target.get("id") == "msft" for target in listed)


def is_lead(referral: Json) -> bool:
    """Whether this is a marketplace lead or a qualified lead, no deal (reference/partner-center.md 4.3)."""
    invited_by = str(in_referral(referral, "/inviteContext/invitedBy/organizationId") or "")
    if referral.get("type") != "Independent":
        return False
    match referral.get("qualification"):
        case "Direct":
            return invited_by in ("", "msft")
        case "SalesQualified" | "MarketingQualified":
            return invited_by == "msft"
    return False


def _required_text(referral: Json, name: str) -> str:
    value = referral[name]
    if not (isinstance(value, str) and value):
        raise ValueError(name)
    return value


def _is_record(field: FieldBase) -> bool:
    """Whether the field is a record of its own in Salesforce."""
    return isinstance(field, CompanyField | ContactsField)


def _has_field(row: Json, item: str) -> bool:
    if item.startswith("("):
        return "OpportunityContactRoles" in row
    return item.split(".", maxsplit=1)[0] in row


def _is_second_over(stamp: datetime, at: datetime) -> bool:
    """Whether the server's clock had passed the stamp's second: only then can nothing else happen within it."""
    return at.astimezone(UTC).replace(microsecond=0) > stamp.replace(microsecond=0)
