"""The steps of the story that `make run` shows. Each step lets people act, and then checks what both sides hold."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from emulators.partner_center.emulator import ORGANIZATION
from local.compare import closing_day, list_differences, list_writes
from local.host.functions_host import Host
from local.narrator import Narrator, count_calls
from local.systems import REST_SECONDS, Systems

WRITE_BACK = "Salesforce: collections.update"
"""How the journal notes a write of the connector's own fields."""
EVENT_SECONDS = 30.0
"""Seconds that events may take to be applied before the story fails. Each hundred deals add as much again."""
NEXT_YEAR = date.today().year + 1  # noqa: DTZ011 - any future date is good, so the time zone does not matter


@dataclass
class Story:
    """The systems, the host, and the deals that the steps work on.

    `seller_opportunities` holds the ids of the opportunities that sellers created. `microsoft_referrals` holds the ids
    of the referrals that Microsoft sent.
    """

    systems: Systems
    host: Host
    narrator: Narrator
    deals: int
    seller_opportunities: list[str] = field(default_factory=list)
    microsoft_referrals: list[str] = field(default_factory=list)

    # --- reading

    def read_opportunity(self, identifier: str) -> dict[str, Any]:
        """An opportunity with all its fields."""
        return dict(self.systems.salesforce.record("Opportunity", identifier))

    def read_referral(self, identifier: str) -> dict[str, Any]:
        """A referral with all its members."""
        return dict(self.systems.partner_center.referral(identifier))

    def referral_id_of(self, opportunity: str) -> str:
        """The id of the referral that belongs to an opportunity."""
        return str(self.read_opportunity(opportunity)["Referral_Identifier__c"])

    def newest_audit_line(self, opportunity: str) -> str:
        """The first line of an opportunity's Audit field."""
        return str(self.read_opportunity(opportunity)["Audit__c"]).splitlines()[0]

    # --- running

    def _say(self, sentence: str) -> None:
        self.narrator.print_step(sentence)

    def run_timer(self, timer: str) -> None:
        """Run a timer function now, and wait for its end."""
        self.host.run_now(timer)
        self._say(f"[cyan]The local host ran the timer function {timer}.[/cyan]")

    def let_records_rest(self) -> None:
        """Move Salesforce's clock on by the half minute for which a save of a record may still be open."""
        self.systems.salesforce.clock.advance(REST_SECONDS)
        self._say("Half a minute passes in Salesforce. A record that was just saved is not written before.")

    def wait_for_events(self) -> None:
        """Wait until every event is delivered and applied. Raises StoryFailed if that takes too long."""
        seconds = EVENT_SECONDS * (1 + self.deals / 100)
        delivered = self.systems.partner_center.dispatcher.wait_idle(seconds)
        self.narrator.require(delivered, f"Partner Center could not deliver its events within {seconds:.0f} s")
        self.host.wait_idle(seconds)
        self.narrator.require(not self.host.failures, f"a function failed: {self.host.failures[:1]}")

    # --- the steps

    def seller_ticks_opportunities(self) -> None:
        """A seller ticks opportunities, and the push creates their referrals."""
        self.narrator.print_heading("A seller ticks opportunities. They become referrals.")
        for number in range(self.deals):
            self.seller_opportunities.append(self.seller_creates(f"Deal {number + 1}", "US"))
        self._say(f"A seller filled in {self.deals} opportunities and ticked [b]Sync with Partner Center[/b].")
        with self.narrator.progress_bar("referrals", "referral_created", self.deals):
            self.run_timer("push_opportunities")
        opportunities = [self.read_opportunity(key) for key in self.seller_opportunities]
        complete = all(opportunity["Referral_Identifier__c"] for opportunity in opportunities)
        self.narrator.require(complete, "an opportunity has no referral id")
        first = opportunities[0]
        self._say(f"{first['Name']} shows the referral id [b]{first['Referral_Identifier__c']}[/b].")
        self._say(f"It shows the mark {first['Sync_Mark__c']}, the status {first['Sync_Status__c']}, and this link:")
        self._say(f"  {first['Referral_Link__c']}")
        self._say(f"Its Audit field says: {first['Audit__c']}")
        for opportunity in opportunities:
            self.check_pair_agrees(opportunity, self.read_referral(opportunity["Referral_Identifier__c"]))
        self._say(f"All {len(opportunities)} referrals have the values of their opportunities.")
        self.wait_for_events()

    def seller_creates(self, name: str, country: str | None) -> str:
        """Create a ticked opportunity with an account of its own in `country`; returns its id."""
        return self.systems.seller_creates(name, country=country, Description="Replacing the old one.")

    def seller_edits_opportunities(self) -> None:
        """The seller edits every opportunity and wins one, and the push sends the changes to Partner Center."""
        self.narrator.print_heading("The seller changes amounts and closing dates, and wins a deal.")
        for number, key in enumerate(self.seller_opportunities):
            amount, day = 20_000 + number, date(NEXT_YEAR, 6, 1) + timedelta(days=number % 28)
            self.systems.salesforce.edit("Opportunity", key, {"Amount": amount, "CloseDate": day.isoformat()})
        won = self.seller_opportunities[-1]
        self.systems.salesforce.edit("Opportunity", won, {"StageName": "Closed Won"})
        name = self.read_opportunity(won)["Name"]
        self._say(f"The seller changed {len(self.seller_opportunities)} opportunities and won {name}.")
        with self.narrator.progress_bar("changes", "referral_patched", self.deals):
            self.run_timer("push_opportunities")
        for key in self.seller_opportunities:
            self.check_pair_agrees(self.read_opportunity(key), self.read_referral(self.referral_id_of(key)))
        referral = self.read_referral(self.referral_id_of(won))
        status = f"{referral['status']}/{referral['substatus']}"
        self.narrator.require(status == "Closed/Won", f"{name} is {status} in Partner Center, not Closed/Won")
        self._say(f"The Audit field of Deal 1 says: {self.newest_audit_line(self.seller_opportunities[0])}")
        self._say(f"Partner Center has all new values. {name} is {status} there.")
        self.wait_for_events()

    def colleague_edits_referrals(self) -> None:
        """A colleague edits referrals in Partner Center, and events bring the changes to Salesforce."""
        self.narrator.print_heading("A colleague changes closing dates in Partner Center.")
        self.let_records_rest()
        self.narrator.watcher.forget_receipts()
        new_dates = {}
        for number, key in enumerate(self.seller_opportunities[:-1]):
            day = (date(NEXT_YEAR, 9, 1) + timedelta(days=number % 28)).isoformat()
            new_dates[key] = day
            patch = [{"op": "replace", "path": "/details/closingDateTime", "value": f"{day}T00:00:00Z"}]
            self.systems.partner_center.portal_edits(self.referral_id_of(key), patch)
        with self.narrator.progress_bar("events", "opportunity_written", len(new_dates)):
            self.wait_for_events()
        wrong = [key for key, day in new_dates.items() if self.read_opportunity(key)["CloseDate"] != day]
        self.narrator.require(not wrong, f"Salesforce did not get {len(wrong)} of the new closing dates")
        self._say(f"Salesforce got {len(new_dates)} of {len(new_dates)} new closing dates, each by an event.")
        if new_dates:
            self._say(f"The Audit field of Deal 1 says: {self.newest_audit_line(self.seller_opportunities[0])}")

    def microsoft_sends_referrals(self) -> None:
        """Microsoft sends referrals, and events make them opportunities."""
        self.narrator.print_heading("Microsoft sends new referrals. They become opportunities.")
        self.microsoft_referrals = [self.systems.partner_center.microsoft_sends() for _ in range(self.deals)]
        with self.narrator.progress_bar("events", "opportunity_created", self.deals):
            self.wait_for_events()
        opportunities = self._opportunities_by_referral()
        missing = [key for key in self.microsoft_referrals if key not in opportunities]
        self.narrator.require(not missing, f"{len(missing)} referrals from Microsoft did not become opportunities")
        for key in self.microsoft_referrals:
            self.check_pair_agrees(opportunities[key], self.read_referral(key))
        first = opportunities[self.microsoft_referrals[0]]
        self._say(f"Salesforce has {len(self.microsoft_referrals)} new opportunities.")
        self._say(
            f"{first['Name']} is in stage [b]{first['StageName']}[/b] and shows the status {first['Sync_Status__c']}."
        )
        self._say(f"Its Audit field says: {first['Audit__c']}")
        self._say(f"Time from an event to the write in Salesforce: {self.narrator.describe_latency()}.")

    def forged_and_repeated_events(self) -> None:
        """The webhook refuses a forged event, and a repeated event changes nothing."""
        self.narrator.print_heading("The webhook gets a forged event and a repeated event.")
        opportunity = self.seller_opportunities[0]
        referral = self.referral_id_of(opportunity)
        headers, body = self.systems.partner_center.signed_event(referral)
        before = self.read_referral(referral), self.read_opportunity(opportunity)
        webhook = f"{self.host.url}/api/events"
        with httpx.Client(verify=self.systems.authority.client_context(), trust_env=False) as client:
            forged = client.post(webhook, headers=headers, content=body.replace(b"updated", b"created"))
            repeated = [client.post(webhook, headers=headers, content=body).status_code for _ in range(2)]
        refused = forged.status_code == HTTPStatus.UNAUTHORIZED and not forged.content
        self.narrator.require(refused, f"the webhook answered {forged.status_code} to a forged event")
        self._say("Somebody changed an event after it was signed. The webhook answered 401, without a reason.")
        accepted = set(repeated) == {HTTPStatus.ACCEPTED}
        self.narrator.require(accepted, f"the webhook answered {repeated} to a repeated event")
        self.wait_for_events()
        unchanged = before == (self.read_referral(referral), self.read_opportunity(opportunity))
        self.narrator.require(unchanged, "a repeated event changed a deal")
        self._say("The same event came twice. The webhook answered 202 both times, and nothing changed.")

    def incomplete_opportunity(self) -> None:
        """An incomplete opportunity is not sent. Once the seller completes it, the next push sends it."""
        self.narrator.print_heading("A seller ticks an incomplete opportunity.")
        key = self.seller_creates("Incomplete deal", None)
        self._say("The account of the opportunity has no country.")
        self.run_timer("push_opportunities")
        opportunity = self.read_opportunity(key)
        self.narrator.require(opportunity["Referral_Identifier__c"] is None, "an incomplete opportunity was sent")
        explained = "Country" in (opportunity["Audit__c"] or "")
        self.narrator.require(explained, "the Audit field does not name the missing country")
        self._say(f"The opportunity was not sent. It shows the mark {opportunity['Sync_Mark__c']}.")
        self._say(f"Its Audit field says: {opportunity['Audit__c']}")
        self.systems.salesforce.edit("Account", opportunity["AccountId"], {"BillingCountry": "DE"})
        self._say("The seller entered the country on the account.")
        self.run_timer("push_opportunities")
        opportunity = self.read_opportunity(key)
        sent = opportunity["Referral_Identifier__c"] is not None
        self.narrator.require(sent, "the opportunity was not sent after the seller had completed it")
        self.seller_opportunities.append(key)
        self._say(f"The opportunity was sent without further action. It shows the mark {opportunity['Sync_Mark__c']}.")
        self.wait_for_events()

    def sweep_finds_nothing(self) -> None:
        """The sweep looks for changes whose events were lost. It finds none and writes nothing.

        Microsoft's own records of the deals that it has sent cause no event: one sweep before hears them.
        """
        self.narrator.print_heading("The sweep looks for changes whose events were lost.")
        self._sweep_writes_only(WRITE_BACK)
        self._say("The sweep has shown what Microsoft's own records say of the deals that Microsoft sent.")
        self._sweep_writes_only()
        self._say("No event was lost: the sweep read both sides and wrote nothing.")

    def _sweep_writes_only(self, *allowed: str) -> None:
        """Run the sweep and what it queues. Raises StoryFailed for a write that a lost event would explain."""
        salesforce, partner_center = self.systems.salesforce.journal, self.systems.partner_center.journal
        before = len(salesforce), len(partner_center)
        self.run_timer("sweep_referrals")
        self.wait_for_events()
        writes = list_writes(salesforce[before[0] :], partner_center[before[1] :])
        lost = [write for write in writes if write not in allowed]
        self.narrator.require(not lost, f"events were lost, and the sweep had to write: {', '.join(lost)}")

    def both_sides_agree(self) -> None:
        """Check that each opportunity has one referral and the reverse, and that all pairs have the same values."""
        self.narrator.print_heading("The story compares both sides.")
        opportunities = self.systems.salesforce.records("Opportunity")
        referrals = {each["id"]: each for each in self.systems.partner_center.referrals(ORGANIZATION)}
        paired = sorted(str(each["Referral_Identifier__c"]) for each in opportunities) == sorted(referrals)
        counts = f"{len(opportunities)} opportunities and {len(referrals)} referrals"
        self.narrator.require(paired, f"the {counts} do not form pairs")
        for opportunity in opportunities:
            self.check_pair_agrees(opportunity, referrals[opportunity["Referral_Identifier__c"]])
        self._say(f"All {len(opportunities)} pairs have the same name, status, notes, money and closing date.")

    # --- checking and showing

    def check_pair_agrees(self, opportunity: dict[str, Any], referral: dict[str, Any]) -> None:
        """Raise StoryFailed if the name, status, notes, money or closing date of a pair differ."""
        different_values = "; ".join(list_differences(opportunity, referral))
        self.narrator.require(
            not different_values, f"{opportunity['Id']} and {referral['id']} differ: {different_values}"
        )

    def print_summary(self) -> None:
        """Print some pairs side by side, and the number of calls to each system."""
        opportunities = self._opportunities_by_referral()
        sellers = [
            self.referral_id_of(key) for key in (*self.seller_opportunities[:3], *self.seller_opportunities[-2:])
        ]
        shown = [*dict.fromkeys(sellers), *self.microsoft_referrals[:3]]
        self.narrator.print_table(
            f"Both sides: {len(shown)} of {len(opportunities)} deals",
            ("deal", "Salesforce", "Partner Center"),
            [_comparison_line(opportunities[key], self.read_referral(key)) for key in shown],
        )
        calls = {
            name: [(entry.method, _path_without_ids(entry.path)) for entry in emulator.journal]
            for name, emulator in self.systems.emulators_by_name.items()
        }
        self.narrator.print_table("Calls to each system", ("system", "call", "count"), count_calls(calls))

    def _opportunities_by_referral(self) -> dict[str, dict[str, Any]]:
        opportunities = self.systems.salesforce.records("Opportunity")
        return {opportunity["Referral_Identifier__c"]: dict(opportunity) for opportunity in opportunities}


def _comparison_line(opportunity: dict[str, Any], referral: dict[str, Any]) -> tuple[str, str, str]:
    details = referral["details"]
    salesforce = (opportunity["StageName"], opportunity["Amount"], opportunity["CurrencyIsoCode"])
    partner_center = (f"{referral['status']}/{referral['substatus']}", details["dealValue"], details["currency"])
    days = opportunity["CloseDate"], closing_day(details)
    texts = [
        f"{status}, {float(amount):,.2f} {currency}, {day}"
        for (status, amount, currency), day in zip((salesforce, partner_center), days, strict=True)
    ]
    return opportunity["Name"], texts[0], texts[1]


def _path_without_ids(path: str) -> str:
    """The path with each id replaced by "…", so that equal calls can be counted together."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "…", path)
