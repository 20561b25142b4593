"""Leads, people, crashes and runs in a random order, which a seed decides: no lead is sent, lost or doubled.

Source: docs/protocol.md#leads.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from emulators.partner_center.service_errors import ServiceError
from emulators.salesforce.data.errors import ApiError
from shared.domain.leads import Leads
from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.lead_deals import TICKED, accept_lead, convert, customer_asks, harness_with, salesforce_leads

SEEDS = [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 60))]
LATEST_CRASH = 25
"""The call at which a run may stop, counted from its first."""


class RandomDay:
    """People and runs that act at random on up to two leads."""

    def __init__(self, harness: Harness, seed: int) -> None:
        self.harness, self.chance = harness, random.Random(seed)  # noqa: S311 - a seed repeats a test
        self.referrals: list[str] = []
        self.converted: dict[str, str] = {}
        self.moves: list[Callable[[], object]] = [
            self.ask, self.change, self.pull, self.pull, self.sweep, self.push, self.push, self.edit_lead,
            self.edit_deal, self.accept, self.decline, self.convert, self.tick,
        ]  # fmt: skip

    def pass_over(self, steps: int) -> None:
        """Make so many moves. A move that a system refuses changes nothing."""
        for _ in range(steps):
            self.harness.advance_time(self.chance.choice([1, 5, 60, 400]))
            with suppress(ApiError, ServiceError, IndexError):
                self.chance.choice(self.moves)()

    # --- customers, and colleagues in the portal

    def ask(self) -> None:
        if len(self.referrals) < 2:
            self.referrals.append(customer_asks(self.harness, details={"closingDateTime": "2027-03-15T00:00:00Z"}))

    def change(self) -> None:
        self.harness.colleague_edits(self.one(), details_notes=f"Note {self.chance.random()}")

    def accept(self) -> None:
        if self.chance.random() < 0.5:
            accept_lead(self.harness, self.one())

    def decline(self) -> None:
        if self.chance.random() < 0.2:
            reason = {"statusReason": "Not a customer"}
            self.harness.colleague_edits(self.one(), status="Closed", substatus="Declined", **reason)

    def one(self) -> str:
        return self.chance.choice(self.referrals)

    # --- people in Salesforce

    def edit_lead(self) -> None:
        column = self.chance.choice(["Phone", "Title", "Description"])
        self.harness.salesforce.edit("Lead", self.open_lead()["Id"], {column: f"{self.chance.random()}"})

    def edit_deal(self) -> None:
        amount, stage = {"Amount": self.chance.randrange(9999)}, {"StageName": "Prospecting"}
        values: Mapping[str, object] = self.chance.choice((amount, stage))
        self.harness.seller_edits(self.deal(), **values)

    def tick(self) -> None:
        self.harness.seller_edits(self.deal(), **TICKED)

    def convert(self) -> None:
        lead = self.open_lead()
        referral, deal = str(lead["Referral_Identifier__c"]), convert(self.harness, lead["Id"])
        pointer = self.harness.store.pointer(referral)
        if pointer and pointer.value.opportunity_id is None and pointer.value.intent is None:
            self.converted[referral] = deal

    def open_lead(self) -> Mapping[str, Any]:
        return self.chance.choice([lead for lead in salesforce_leads(self.harness) if not lead["IsConverted"]])

    def deal(self) -> str:
        return str(self.chance.choice(self.harness.salesforce.records("Opportunity"))["Id"])

    # --- runs, of which some stop

    def pull(self) -> None:
        self.run(lambda instance: instance.pull_event(self.one()))

    def sweep(self) -> None:
        self.run(Instance.sweep)

    def push(self) -> None:
        self.run(lambda instance: instance.push(HOUR))

    def run(self, work: Callable[[Instance], object]) -> None:
        before = dict(self.versions_of_leads())
        instance = self.harness.new_instance()
        if self.chance.random() < 0.35:
            instance.process.crash_at(self.chance.randrange(LATEST_CRASH), after=self.chance.random() < 0.5)
        if instance.crashes_during(work):
            self.harness.advance_time(self.chance.choice([0, AFTER_LEASE]))
        assert not instance.log.fields_of("pair_failed")
        assert {key: self.harness.partner_center.referral(key)["eTag"] for key in before} == before

    def versions_of_leads(self) -> Iterator[tuple[str, str]]:
        """The versions of the leads that nobody has accepted."""
        for key in self.referrals:
            record = self.harness.partner_center.referral(key)
            if record["status"] != "Active":
                yield key, record["eTag"]


@pytest.mark.parametrize("leads", [Leads.LEAD, Leads.OPPORTUNITY])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_lead_is_sent_lost_or_doubled(seed: int, leads: Leads) -> None:
    with harness_with(leads) as harness:
        day = RandomDay(harness, seed)
        day.pass_over(40)
        recover_after_lease(harness)
        deals = {record["Id"]: record["Referral_Identifier__c"] for record in harness.salesforce.records("Opportunity")}
        linked = [referral for referral in deals.values() if referral]
        named = [lead["Referral_Identifier__c"] for lead in salesforce_leads(harness)]
        assert (len(linked), len(named)) == (len(set(linked)), len(set(named)))
        for referral in day.referrals:
            status = harness.partner_center.referral(referral)["status"]
            assert status == "Closed" or referral in (*linked, *named)
            assert status != "Active" or referral in linked
        for referral, deal in day.converted.items():
            assert referral not in linked or deals[deal] == referral
        assert_quiet(harness)
