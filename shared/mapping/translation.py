"""Translate Salesforce records and referrals into deals, and deals into what is sent to each side."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from shared.domain.arrival import Arrival, Gap
from shared.domain.deal import Change, Company, Deal, Person, Side
from shared.domain.field_rules import Direction
from shared.domain.link_states import Mark
from shared.domain.org_shape import OrgShape
from shared.domain.records import NO_ROWS, Opportunity, Referral, Rows
from shared.foundation.errors import Ambiguous, Unavailable
from shared.mapping.account_columns import business_type
from shared.mapping.arrivals import arrival_of, without_fixed
from shared.mapping.attribute_field import AttributeField, attribute_operations, constant_attributes
from shared.mapping.company_field import CompanyField
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import StatusField, marked_column, signs_of
from shared.mapping.money_field import COMPUTED, computed_in
from shared.mapping.new_records import unusable_defaults
from shared.mapping.new_referral import ReferralConstants, referral_body
from shared.mapping.other_parties import is_sent_by_microsoft, msx_id_in
from shared.mapping.outbound import is_outbound
from shared.mapping.paths import Json, parse_time, required_text, time_or_none, value_in_record
from shared.mapping.people_fields import ContactsField
from shared.mapping.polls import PollQuery, polls_of
from shared.mapping.read_values import read_values
from shared.mapping.referral_kind import is_lead, is_shared, is_target_microsoft
from shared.mapping.schema import DEFAULT
from shared.mapping.seen_columns import rules_of, seen_fields, spelled_as_in_org
from shared.mapping.set_field import SetField
from shared.mapping.sharing_fields import sharing_in
from shared.mapping.shown_state import ShownState
from shared.mapping.solutions_field import SolutionsField
from shared.mapping.stamps import newest_stamps, rests_in, stamps_in, unread_rows, with_stamps
from shared.mapping.validation import load_mapping

MODIFIER = ("LastModifiedById", "LastModifiedBy.UserType")
AUTOMATED_USERS = frozenset({"AutomatedProcess", "CloudIntegrationUser"})
"""The types of users that are no people (docs/reference/salesforce.md#users-that-are-no-people)."""


class Translation:
    """One mapping file, ready for use. `hash` identifies the content of the file that a decision was made with."""

    def __init__(self, constants: ReferralConstants, path: Path = DEFAULT, org: OrgShape | None = None) -> None:
        """Read and check the mapping file; `org` is None before the org was asked. Raises ConfigurationError."""
        self._loaded, self.constants = load_mapping(path), constants
        self._take_org(org)

    def _take_org(self, org: OrgShape | None) -> None:
        loaded, self.hash = self._loaded
        self.org, self.file = org, spelled_as_in_org(loaded, org)
        settings = self.constants.marketplace_intent, self.constants.location
        seen = seen_fields(self.file.fields_with_stages(org, *settings), org)
        self.fields, self._left_out, self.absent = seen.fields, seen.left_out, seen.absent
        self.rules = rules_of(seen, loaded, self.file, seen.mapping_of(self.hash))
        self._attributes = {name: field for name, field in self.fields.items() if isinstance(field, AttributeField)}
        answer = self.file.ours.answer_by
        self.answer_column = None if org and org.is_unusable(answer) else answer
        self.name_column, self.signs = marked_column(self.fields.values(), org), signs_of(self.fields.values())
        self._shown_state = ShownState(self.file.ours, self.constants.referral_link, org)

    def for_org(self, org: OrgShape) -> "Translation":
        """Return the translation of the same file for an org of this shape."""
        other = Translation.__new__(Translation)
        other._loaded, other.constants = self._loaded, self.constants  # noqa: SLF001 - of its own class
        other._take_org(org)  # noqa: SLF001 - as above
        return other

    # --- Salesforce to deal

    @cached_property
    def selects(self) -> tuple[str, ...]:
        """The SOQL select items of an opportunity that is read under the lock."""
        own = self.file.ours.read_columns(self.org)
        stamps = (query.stamp for query in self.polls if not query.rows)
        fixed = ("Id", "LastModifiedDate", COMPUTED, *MODIFIER, *stamps, *own)
        mapped = (item for field in self._seen_fields.values() for item in field.select_items())
        items = dict.fromkeys((*fixed, *mapped))
        return with_stamps((*items, *unread_rows(items, self.polls)), self.polls)

    @cached_property
    def polls(self) -> tuple[PollQuery, ...]:
        """The queries of the poll (docs/protocol.md#the-salesforce-poll)."""
        return polls_of((query for field in self._seen_fields.values() for query in field.polls()), self.org)

    @cached_property
    def poll_soql(self) -> dict[str, str]:
        """The SOQL of each query of the poll, by name, with `%s` for the time from which it reads."""
        return {query.name: query.soql(self.file.ours) for query in self.polls}

    @cached_property
    def read_items(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The items of `selects`, and those of them that a read can do without."""
        optional = (item for field in self._seen_fields.values() for item in field.optional_items())
        return self.selects, with_stamps((COMPUTED, *optional), self.polls)

    @cached_property
    def _active_fields(self) -> dict[str, FieldBase]:
        return {name: field for name, field in self.fields.items() if field.direction is not Direction.OFF}

    @cached_property
    def _seen_fields(self) -> dict[str, FieldBase]:
        return {name: field for name, field in self._active_fields.items() if name not in self._left_out}

    def opportunity(self, record: Json, read_at: datetime) -> Opportunity:
        """Return the opportunity in a Salesforce record that was read at `read_at` (server time)."""
        fields = self._fields_in_record(record)
        read, lists = read_values(lambda field: field.read_record(record), fields), self._lists_in(fields)
        ours, modified = self.file.ours, parse_time(record["LastModifiedDate"])
        return Opportunity(
            str(record["Id"]),
            read.deal,
            flagged=bool(record.get(ours.flag)),
            modified=modified,
            rests_in=rests_in(modified, read_at),
            referral_id=str(record[ours.identifier]).lower() if record.get(ours.identifier) else None,
            stamps=stamps_in(record, self.polls, read_at),
            problems={**read.problems, **self._left_out} if self._left_out else read.problems,
            sharing=sharing_in(record, ours),
            stage=str(value_in_record(record, self.stage_column) or ""),
            modified_by=record.get("LastModifiedById"),
            is_automated=value_in_record(record, MODIFIER[1]) in AUTOMATED_USERS,
            reason=str(record[ours.reason] or "") if ours.reason in record else None,
            reason_details=str(record.get(ours.reason_details) or ""),
            answer_by=parse_time(until) if (until := record.get(ours.answer_by)) else None,
            cut=read.cut,
            rows={name: field.read_rows(record) for name, field in self.in_rows.items() if name in fields},
            unsendable={name: left for name, field in lists.items() if (left := field.read_unsendable(record))},
            partial=tuple(name for name, field in lists.items() if field.is_partial_in(record)),
            unseen=tuple(name for name, field in lists.items() if field.has_unseen_in(record)),
            lacking={name: found for name, field in lists.items() if (found := field.lacking(record))},
            name=str(record.get(self.name_column) or "") if self.name_column else None,
            computed=computed_in(record, fields),
            seen=newest_stamps(record, self.polls),
        )

    def _lists_in(self, fields: Mapping[str, FieldBase]) -> dict[str, FieldBase]:
        """Return those of the fields that are merged member by member."""
        return {name: field for name, field in fields.items() if name in self._lists}

    @cached_property
    def in_rows(self) -> dict[str, FieldBase]:
        """The fields whose members are the rows of a related list."""
        return {name: field for name, field in self._seen_fields.items() if field.related_list}

    @cached_property
    def _lists(self) -> frozenset[str]:
        return frozenset(name for name, rule in self.rules.by_field.items() if rule.is_set)

    @cached_property
    def stage_column(self) -> str:
        """The column of the opportunity's stage."""
        return next((field.salesforce for field in self.fields.values() if isinstance(field, StatusField)), "")

    def opportunities(self, records: Sequence[Json], read_at: datetime) -> dict[str, Opportunity | Exception]:
        """Return the opportunities by id; for a record that cannot be read, the error, so that it harms no other."""
        read: dict[str, Opportunity | Exception] = {}
        for record in records:
            try:
                read[str(record["Id"])] = self.opportunity(record, read_at)
            except Exception as error:  # noqa: BLE001 - a defect in one record must not stop the others
                read[str(record["Id"])] = error
        return read

    def _fields_in_record(self, record: Json) -> dict[str, FieldBase]:
        """Return the fields whose columns the record has. A record that was read back has no parents or children."""
        return {name: field for name, field in self._seen_fields.items() if field.is_in(record)}

    # --- Partner Center to deal

    def referral(self, referral: Json, *, is_listed: bool = False) -> Referral:
        """Return the referral in its representation. Raises Unavailable without an id, an eTag or a date of change."""
        try:
            return replace(self._referral_from(referral), is_listed=is_listed)
        except (KeyError, ValueError) as error:
            raise Unavailable(f"a referral cannot be read: {type(error).__name__}") from None

    def written_referral(self, answer: Json) -> Referral:
        """Return the referral in the answer to a write. Raises Ambiguous for an answer that cannot be read."""
        try:
            return self._referral_from(answer)
        except (KeyError, ValueError) as error:
            raise Ambiguous(f"the answer to a write cannot be read: {type(error).__name__}") from None

    def _referral_from(self, referral: Json) -> Referral:
        fields = self._active_fields
        read = read_values(lambda field: field.read_referral(referral), fields)
        status = next((field.raw_status(referral) for field in fields.values() if isinstance(field, StatusField)), None)
        return Referral(
            required_text(referral, "id").lower(),
            required_text(referral, "eTag"),
            read.deal,
            parse_time(referral["updatedDateTime"]),
            status,
            referral.get("engagementId"),
            referral.get("organizationId"),
            parse_time(created) if (created := referral.get("createdDateTime")) else None,
            referral.get("externalReferenceId"),
            read.problems,
            is_lead=is_lead(referral),
            is_target_microsoft=is_target_microsoft(referral),
            expires=time_or_none(referral.get("expirationDateTime")),
            duns=self.customer.duns_in(referral),
            is_shared=is_shared(referral),
            is_from_microsoft=is_sent_by_microsoft((referral,)),
            msx_id=msx_id_in(referral),
            raw=referral,
            cut=read.cut,
        )

    # --- deal to Salesforce

    def values(self, changes: tuple[Change, ...]) -> dict[str, Any]:
        """Return the record's values for these changes."""
        return {
            column: value
            for change in changes
            for column, value in self.fields[change.field].record_values(change.new).items()
        }

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The columns that `shown_state` and `shown_news` write."""
        ours = self.file.ours
        return ours.status, ours.audit, ours.identifier, ours.link, ours.answer_by, *self._shown_state.news.values()

    def shown_state(self, mark: Mark | None, audit: str, referral_id: str | None) -> dict[str, Any]:
        """Return the record's values for the fields that show the state of the sync.

        `audit` is the text of the audit field; `referral_id` is None where the record names its referral already.
        """
        return self._shown_state.values(mark, audit, referral_id)

    def shown_news(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the record's values for Microsoft's news, by the keys of their columns, where the org has them."""
        return self._shown_state.news_values(texts)

    @property
    def news_columns(self) -> Collection[str]:
        """The keys of the columns of Microsoft's news that the org has."""
        return self._shown_state.news.keys()

    def shown_answer(self, until: datetime | None) -> dict[str, Any]:
        """Return the value for the field that shows until when Microsoft awaits an answer, where the org has it."""
        return {self.answer_column: until and until.isoformat(timespec="seconds")} if self.answer_column else {}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns for a read-back: those of `selects` without parents and children."""
        return tuple(item for item in self.selects if "." not in item and not item.startswith("("))

    def new_opportunity(self, deal: Deal) -> dict[str, Any]:
        """Return the values of a new opportunity, with the tick, but without account, contacts and referral."""
        return {
            column: value
            for name, field in self._written_at_creation.items()
            if not _is_record(field)
            if deal.get(name) is not None or isinstance(field, StatusField)
            for column, value in field.record_values(self.rules[name].given_to_salesforce(deal.get(name))).items()
            if value is not None
        } | {self.file.ours.flag: True}

    @cached_property
    def _written_at_creation(self) -> dict[str, FieldBase]:
        """The fields that a new opportunity takes over, without those whose columns cannot be written."""
        created = self._created_from[Side.PARTNER_CENTER]
        return {name: field for name, field in created.items() if all(map(field.is_writable, field.needed_columns()))}

    @cached_property
    def _created_from(self) -> dict[Side, dict[str, FieldBase]]:
        """The fields whose values a new record on the other side takes from each side."""
        created = {name: field for name, field in self.fields.items() if "create" in field.when}
        given = {name: field for name, field in created.items() if field.direction.owns(Side.PARTNER_CENTER)}
        sent = {name: field for name, field in created.items() if is_outbound(name, field)}
        return {Side.PARTNER_CENTER: given, Side.SALESFORCE: sent}

    @cached_property
    def customer(self) -> CompanyField:
        """The field of the customer."""
        return next(field for field in self.fields.values() if isinstance(field, CompanyField))

    def account(self, company: Company) -> dict[str, Any]:
        """Return the values of a new Account."""
        return {**self.customer.account_values(company), **business_type(self.org)}

    def arrival(self, referral: Referral, arrives: datetime) -> Arrival:
        """Return what is created for a referral that arrives at that time."""
        arrival = arrival_of(self.fields, referral, self.cut_solutions(referral.deal), arrives.date())
        arrival = replace(arrival, notifies=self.file.notifies_owners)
        for path, found in unusable_defaults(self.file.new, self.org):
            arrival = arrival.without_column(path, Gap(path, found))
        return without_fixed(arrival, self._created_from[Side.PARTNER_CENTER])

    def contact(self, person: Person) -> dict[str, Any]:
        """Return the values of a new Contact."""
        field = next(field for field in self.fields.values() if isinstance(field, ContactsField))
        return field.contact_values(person)

    def cut_solutions(self, deal: Deal) -> tuple[int, int]:
        """Return how many of the deal's solution ids fit the text field, and how many ids the deal has."""
        for name, field in self.fields.items():
            if isinstance(field, SolutionsField) and field.related_list is None and isinstance(deal.get(name), tuple):
                return field.fitting(deal[name])
        return 0, 0

    # --- deal to Partner Center

    def contacts_left_out(self, deal: Deal) -> int:
        """Return how many contacts a new referral leaves out, because Partner Center would refuse them.

        Of a list that is compared later, the plan that follows tells them by name.
        """
        fields = ((name, field) for name, field in self.fields.items() if isinstance(field, ContactsField))
        listed = (deal.get(name) for name, field in fields if name not in self._lists)
        people = (each for value in listed if isinstance(value, tuple) for each in value)
        return sum(isinstance(each, Person) and not each.is_complete for each in people)

    def operations(self, changes: tuple[Change, ...], read: Json | None = None, rows: Rows = NO_ROWS) -> list[Json]:
        """Return the JSON Patch operations for these changes, only for paths that differ; `read` is the referral."""
        edits = [change for change in changes if change.field in self._attributes and change.new != change.old]
        attributes = [(self._attributes[change.field], change.new) for change in edits]
        single = [change for change in changes if change.field not in self._attributes]
        operations = [operation for change in single for operation in self._operations(change, read, rows)]
        return [*operations, *attribute_operations(attributes, read)] if attributes else operations

    def _operations(self, change: Change, read: Json | None, rows: Rows) -> list[Json]:
        field = self.fields[change.field]
        if isinstance(field, SetField):
            return field.with_rows(rows.get(change.field, ())).set_operations(change.new, change.old, read)
        return field.patch_operations(change.sent or change.new, change.old)

    def new_referral(self, deal: Deal, external_reference: str, rows: Rows = NO_ROWS) -> dict[str, Any]:
        """Return the body of a new referral. It asks for no help; Microsoft's sellers see it if the deal is visible."""
        attributes = constant_attributes(self.file.fields.values(), self.constants.marketplace_intent)
        body = referral_body(self.constants, external_reference, attributes)
        for name, field in self._created_from[Side.SALESFORCE].items():
            if name in deal:
                field.with_rows(rows.get(name, ())).add_to_body(deal[name], body)
        return body


def _is_record(field: FieldBase) -> bool:
    """Whether the field's value is a record of its own in Salesforce."""
    return isinstance(field, CompanyField | ContactsField)
