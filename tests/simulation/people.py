"""The people around both systems, and the log of what they changed."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from emulators.partner_center.emulator import ORGANIZATION
from emulators.partner_center.referral_shape import MICROSOFT
from emulators.partner_center.service_errors import ServiceError
from emulators.salesforce.data.errors import ApiError
from tests.simulation.held_values import (
    FIELDS,
    PARTNER_CENTER,
    SALESFORCE,
    UNANSWERED,
    Edit,
    Record,
    Values,
    belongs_to,
    of_opportunity,
    of_referral,
)
from tests.simulation.solution_rows import add_row
from tests.unit.sync.harness import Harness

CURRENCIES = ("USD", "EUR", "GBP")
NOTHING: Values = dict.fromkeys(FIELDS)
LATEST_SAVE = 25
"""Seconds after its stamp at which a save becomes visible, at most (docs/protocol.md#stamps allows 30)."""


@dataclass
class Numbers(Iterator[int]):
    """Numbers from 1 on: each one makes a value unlike all others. `last` is the one that was taken last."""

    last: int = 0

    def __next__(self) -> int:
        self.last += 1
        return self.last


@dataclass
class People:
    """All people, and the log of their edits.

    most_deals   how many deals there may be
    late_saves   the share of a seller's saves that others see late
    focus        the share of edits that are made in the deal that was edited last
    also         what may happen although no seed of the default suite does it
    list_edits   the members that people added to lists, or removed
    touched      the referrals that were saved without a change of a value that travels
    unasked      those of the edits that automation made, unless a person saved the record before anybody asked
    foreign      the referrals that are not this environment's, as people left them
    ruled        the deals of which the org refuses a value for good, with the field
    unreadable   the deals whose row cannot be read, with what was seen since then
    staging      the sandbox with its app, in the seeds that have one
    approved     when an operator let changes go that waited: their kind and number
    """

    harness: Harness
    chance: random.Random
    most_deals: int
    late_saves: float
    also: Collection[str]
    focus: float = 0.5
    edits: list[Edit] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)
    unasked: list[Edit] = field(default_factory=list)
    list_edits: list[Any] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    foreign: dict[str, Record] = field(default_factory=dict)
    ruled: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, Any] = field(default_factory=dict)
    staging: Any = None
    approved: list[tuple[datetime, str, int]] = field(default_factory=list)

    # --- records

    def opportunities(self) -> list[Record]:
        """All opportunities, with saves that nobody else can see yet."""
        return [one for one in self.harness.salesforce.org._records["Opportunity"].values() if not one["IsDeleted"]]

    def deleted_opportunities(self) -> list[Record]:
        """The opportunities in the recycle bin."""
        return [one for one in self.harness.salesforce.org._records["Opportunity"].values() if one["IsDeleted"]]

    def referrals(self) -> list[Record]:
        """All referrals of our organisation that are this environment's."""
        return [one for one in self.harness.partner_center.referrals(ORGANIZATION) if one["id"] not in self.foreign]

    def referral_of(self, opportunity: Record) -> Record | None:
        """The referral of an opportunity, if it has one."""
        return next((record for record in self.referrals() if belongs_to(opportunity, record)), None)

    def may_add_a_deal(self) -> bool:
        """Whether there are fewer deals than the seed allows."""
        opportunities = self.opportunities()
        alone = [one for one in self.referrals() if not any(belongs_to(other, one) for other in opportunities)]
        return len(opportunities) + len(alone) < self.most_deals

    def choose(self, records: Sequence[Record]) -> Record | None:
        """One of the records: with a chance of `focus` one of the deal that was edited last."""
        if self.edits and self.chance.random() < self.focus:
            last = self.edits[-1].record
            deals = [{one["Id"], (self.referral_of(one) or {}).get("id")} for one in self.opportunities()]
            deal = next((ids for ids in deals if last in ids), {last})
            records = [one for one in records if _id_of(one) in deal] or records
        return self.chance.choice(records) if records else None

    # --- saves

    def save_opportunity(
        self, record: Record, values: Mapping[str, object], save: Callable[[], object] | None = None
    ) -> bool:
        """A seller saves an opportunity, mostly in its form; False where somebody else's save has locked it."""
        save = save or partial(self.harness.seller_edits, record["Id"], **values)
        is_late = self.chance.random() < self.late_saves
        salesforce = self.harness.salesforce
        salesforce.lag = timedelta(seconds=self.chance.randint(1, LATEST_SAVE) if is_late else 0)
        try:
            save()
        except ApiError:
            return False
        finally:
            salesforce.lag = timedelta()
        self.take_over(record)
        saved = salesforce.org._records["Opportunity"][record["Id"]]
        seen, kept = of_opportunity(record), of_opportunity(saved)
        if self._is_answer(record, values) and seen["status"] == kept["status"] != UNANSWERED:
            seen = {**seen, "status": UNANSWERED}
        self._keep(SALESFORCE, record["Id"], seen, kept)
        return True

    def _is_answer(self, record: Record, values: Mapping[str, object]) -> bool:
        """Whether a seller answers a deal by another stage, perhaps one of the same meaning as that of a flow."""
        is_moved = values.get("StageName", record["StageName"]) != record["StageName"]
        referral = self.referral_of(record) if is_moved else None
        return referral is not None and of_referral(referral)["status"] == UNANSWERED

    def take_over(self, record: Record) -> None:
        """Salesforce names a person as the one who saved last, so nobody asks for what automation set before.

        A question that was asked already stays.
        """
        if f"Stage {record['StageName']} may be set by automation" not in (record["Audit__c"] or ""):
            self.unasked = [edit for edit in self.unasked if edit.record != record["Id"]]

    def automation_saves(self, record: Record, values: Mapping[str, object]) -> bool:
        """Automation saves an opportunity; False where somebody else's save has locked it."""
        salesforce = self.harness.salesforce
        try:
            salesforce.edit("Opportunity", record["Id"], values, user=salesforce.automated)
        except ApiError:
            return False
        before = len(self.edits)
        saved = salesforce.org._records["Opportunity"][record["Id"]]
        self._keep(SALESFORCE, record["Id"], of_opportunity(record), of_opportunity(saved))
        if record["Referral_Identifier__c"]:  # the stage with which an own deal is linked is not asked about
            self.unasked += self.edits[before:]
        return True

    def save_referral(self, record: Record, values: Mapping[str, object]) -> bool:
        """A colleague saves a referral; False where the portal refuses it."""
        return self.change_referral(record, lambda: self.harness.colleague_edits(record["id"], **values))

    def change_referral(self, record: Record, change: Callable[[], object]) -> bool:
        """Somebody changes a referral; False where Partner Center refuses it."""
        try:
            change()
        except ServiceError:
            return False
        saved = self.harness.partner_center.referral(record["id"])
        if of_referral(record) == of_referral(saved):
            self.touched.add(record["id"])
        self._keep(PARTNER_CENTER, record["id"], of_referral(record), of_referral(saved))
        return True

    def add_opportunity(self, **values: object) -> bool:
        """A seller creates an opportunity, unless a rule of the org refuses it."""
        try:
            made = self.harness.seller_creates(**values)
        except ApiError:
            return False
        if self.harness.translation.fields["solutions"].related_list:
            add_row(self.harness, {"Id": made}, "SOL-1")
        self._keep(SALESFORCE, made, NOTHING, of_opportunity(self.harness.opportunity(made)))
        return True

    def add_referral(self, **values: object) -> None:
        """Microsoft sends a deal."""
        made = self.harness.partner_center.microsoft_sends(**values)
        self._keep(PARTNER_CENTER, made, NOTHING, of_referral(self.harness.partner_center.referral(made)))

    # --- help from Microsoft

    def has_contact(self, opportunity: Record) -> bool:
        """Whether the opportunity has a contact role."""
        roles = self.harness.salesforce.records("OpportunityContactRole")
        return any(role["OpportunityId"] == opportunity["Id"] for role in roles)

    def add_contact(self, opportunity: Record) -> None:
        """A seller adds a contact whom Microsoft can call."""
        mail = f"contact{next(self.numbers)}@northwind.example"
        person = {"FirstName": "Ada", "LastName": "Lind", "Email": mail, "Phone": "+12065550100"}
        salesforce = self.harness.salesforce
        contact = salesforce.insert("Contact", {**person, "AccountId": opportunity["AccountId"]})
        salesforce.insert("OpportunityContactRole", {"OpportunityId": opportunity["Id"], "ContactId": contact})

    def asked(self) -> list[Record]:
        """All records of Microsoft's."""
        return list(self.harness.partner_center.referrals(MICROSOFT))

    def ask_in_portal(self, referral: Record, code: str) -> bool:
        """A colleague asks Microsoft for help; False where the portal shows its part, or refuses the request."""
        if any(record["engagementId"] == referral["engagementId"] for record in self.asked()):
            return False
        try:
            self.harness.partner_center.portal_asks_for_help(referral["id"], code, "From the portal.")
        except ServiceError:
            return False
        return True

    def _keep(self, side: str, record: str, before: Values, after: Values) -> None:
        now = self.harness.now()
        changed = [name for name in FIELDS if after[name] != before[name]]
        self.edits += [Edit(now, side, record, name, before[name], after[name]) for name in changed]

    # --- values

    def amount(self) -> int | float:
        """An amount: mostly one that nobody used before."""
        if self.chance.random() < 0.15:
            return 10000
        return 1000 + next(self.numbers) + self.chance.choice((0, 0, 0.5))

    def day(self) -> str:
        """A day in the future: mostly one that nobody used before."""
        days = 0 if self.chance.random() < 0.1 else next(self.numbers)
        return (date(2027, 1, 1) + timedelta(days=days)).isoformat()

    def text(self, writer: str, old: str | None) -> str:
        """Notes: a new text, or a new line below the present text."""
        new = f"{writer}: note {next(self.numbers)}."
        return f"{old}\n{new}" if old and self.chance.random() < 0.4 else new

    def currency(self, old: str) -> str:
        """Another currency."""
        return self.chance.choice([code for code in CURRENCIES if code != old])


def _id_of(record: Record) -> Any:  # noqa: ANN401 - a JSON value
    return record.get("Id") or record.get("id")
