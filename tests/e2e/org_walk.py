"""What people do in an org of some kind, in the order of a deal's life: out, in, an edit each way, a refusal mended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import shared.app
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from shared.foundation.clock import SystemClock
from tests.e2e.world import WAIT_SECONDS, World
from tests.unit.sync.inbound_deals import CUSTOMER, DETAILS
from tests.unit.sync.real_orgs import SWITCHES

A_LITTLE_MORE_THAN_AN_HOUR = timedelta(hours=1, seconds=5)


@dataclass
class OrgWalk:
    """The world with an org of some kind, and the people who work in it."""

    world: World
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    later: timedelta = timedelta()

    @property
    def org(self) -> SalesforceEmulator:
        return self.world.systems.salesforce

    @property
    def partner(self) -> PartnerCenterEmulator:
        return self.world.systems.partner_center

    # --- the administrator

    def become(self, *names: str) -> None:
        """Turn switches on, and start the app."""
        for name in names:
            SWITCHES[name](self.org)
        self.org.org.clear_undo_log()
        shared.app.reset()

    def add_to_mapping(self, text: str) -> None:
        """Write more lines into the mapping file, and start the app with it."""
        before = Path(self.world.systems.environ["MAPPING"]).read_text("utf-8")
        path = self.folder / "mapping.toml"
        path.write_text(f"{before}\n{text}\n", "utf-8")
        self.monkeypatch.setenv("MAPPING", str(path))
        shared.app.reset()

    def let_an_hour_pass(self) -> None:
        """Move the app's clock, so that everything that waits is tried again. The systems nearly keep their time."""
        self.world.let_records_rest()
        self.later += A_LITTLE_MORE_THAN_AN_HOUR
        later = self.later
        self.monkeypatch.setattr(SystemClock, "now", staticmethod(lambda: datetime.now(UTC) + later))
        self.push()

    # --- the timers and events

    def push(self) -> None:
        for _ in range(2):
            self.world.host.run_now("push_opportunities")

    def send_event(self, referral: str) -> None:
        """Let the app receive and apply an event of a referral."""
        answer = self.world.post_event(*self.partner.signed_event(referral))
        assert answer.status_code == 202
        self.world.host.wait_idle(WAIT_SECONDS)
        self.push()

    # --- sellers, Microsoft and colleagues

    def seller_creates(self, account: str, **values: object) -> str:
        """Create a complete, ticked deal of this account; returns its id."""
        complete = {
            "Name": "Big deal", "AccountId": account, "StageName": "Qualification", "Amount": 10_000,
            "CloseDate": f"{datetime.now(UTC).year + 1}-03-31", "Products__c": "SOL-12345-ABC",
            "Sync_with_Partner_Center__c": True,
        }  # fmt: skip
        deal = self.org.insert("Opportunity", {**complete, **values})
        self.push()
        return deal

    def customer(self, country: str = "United States", **values: object) -> str:
        """Create an account; returns its id."""
        address = {"BillingStreet": "1 Main Street", "BillingCity": "Seattle", "BillingCountry": country}
        return self.org.insert(
            "Account", {"Name": "Northwind Traders", "Phone": "+1 425 555 0100", **address, **values}
        )

    def microsoft_sends(self, customer: dict[str, Any] | None = None, **details: object) -> str:
        """Send a deal for a customer in Denmark, and its event; returns the referral's id."""
        profile = {**CUSTOMER, **(customer or {})}
        referral = self.partner.microsoft_sends(
            name="Robots for the harbour", customerProfile=profile, details={**DETAILS, **details}
        )
        self.send_event(referral)
        return referral

    def colleague_edits(self, referral: str, path: str, value: object) -> None:
        """Change a referral in the portal, and let the app receive the event."""
        self.world.let_records_rest()
        self.partner.portal_edits(referral, [{"op": "replace", "path": path, "value": value}])
        self.send_event(referral)

    def accept(self, deal: str) -> None:
        """The seller accepts a deal of Microsoft's."""
        self.org.edit("Opportunity", deal, {"StageName": "Qualification"})
        self.push()
        assert self.sent(deal)["status"] == "Active"

    def check_edits_each_way(self, deal: str, *, shows: str = "Synced") -> None:
        """A seller's close date and a colleague's value arrive on the other side, and the deal shows this status."""
        if self.sent(deal)["status"] == "New":
            self.accept(deal)
        referral = self.deal(deal)["Referral_Identifier__c"]
        date = f"{datetime.now(UTC).year + 1}-06-30"
        self.org.edit("Opportunity", deal, {"CloseDate": date})
        self.push()
        assert self.referral(referral)["details"]["closingDateTime"].startswith(date)
        self.colleague_edits(referral, "/details/dealValue", 12_000)
        record = self.deal(deal)
        assert (record["Amount"], record["Sync_Status__c"]) == (12_000, shows), record["Audit__c"]

    # --- what they see

    def deal(self, record_id: str) -> dict[str, Any]:
        return self.org.record("Opportunity", record_id)

    def referral(self, referral_id: str) -> dict[str, Any]:
        return self.partner.referral(referral_id)

    def arrived(self, referral: str) -> dict[str, Any] | None:
        """The opportunity of a referral."""
        return self.world.opportunities_by_referral().get(referral)

    def deal_of(self, referral: str) -> dict[str, Any]:
        """The opportunity of a referral, which must have arrived."""
        found = self.arrived(referral)
        assert found is not None, self.inbox()
        return found

    def sent(self, deal: str) -> dict[str, Any]:
        """The referral of a deal, which must have gone out."""
        record = self.deal(deal)
        assert record["Referral_Identifier__c"], (record["Audit__c"], self.inbox())
        return self.referral(record["Referral_Identifier__c"])

    def inbox(self) -> dict[str, str]:
        """The causes in the inbox by the key of their deal."""
        return {each["Key__c"]: each["Cause__c"] for each in self.org.records("Cosell_Inbox__c")}

    def accounts(self) -> Collection[str]:
        """The names of all accounts, sorted."""
        return sorted(each["Name"] for each in self.org.records("Account"))
