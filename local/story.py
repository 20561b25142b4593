"""`make run`: the connector on one machine, from a flagged opportunity to a table with both sides in step.

It starts the emulated systems and the local Functions host, lets a seller, a colleague and Microsoft act, and checks
after each step that both sides hold what they must. It never waits for the clock: a timer is fired through the host as
soon as the step before is done. Exit status 0, 1 with the reason, 2 for a wrong setting, 130 for Ctrl-C.
"""

import logging
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from emulators.partner_center.emulator import ORGANIZATION
from local import storage
from local.compare import differences, writings
from local.host.functions_host import Host
from local.narrator import Narrator, StoryFailed, Witness, counted
from local.systems import ROOT, Systems, started
from shared.foundation.errors import ConfigurationError

WAIT = 30.0
"""Seconds that events may take to be applied before the story fails, per hundred deals."""
NEXT_YEAR = date.today().year + 1  # noqa: DTZ011 - a date in the future is all that is needed
PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""
INTERRUPTED = 128 + signal.SIGINT
"""The exit status of what Ctrl-C ended, as shells have it."""


@dataclass
class Story:
    """The systems, the host, and the ids of the deals that play a part."""

    systems: Systems
    host: Host
    tell: Narrator
    deals: int
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)

    # --- looking

    def opportunity(self, identifier: str) -> dict[str, Any]:
        """An opportunity as a seller sees it."""
        return dict(self.systems.salesforce.record("Opportunity", identifier))

    def referral(self, identifier: str) -> dict[str, Any]:
        """A referral as a colleague sees it."""
        return dict(self.systems.partner_center.referral(identifier))

    def fire(self, timer: str) -> None:
        """Run a timer now, and say so."""
        self.host.fire(timer)
        self.tell.say(f"[cyan]timer {timer} fired through the host[/cyan]")

    def settle_events(self) -> None:
        """Wait until every event is delivered and applied."""
        patience = WAIT * (1 + self.deals / 100)
        delivered = self.systems.partner_center.dispatcher.wait_idle(patience)
        self.tell.check(delivered, f"Partner Center could not deliver its events within {patience:.0f} s")
        self.host.wait_idle(patience)
        self.tell.check(not self.host.failures, f"a function failed: {self.host.failures[:1]}")

    # --- acting

    def seller_flags(self) -> None:
        """Opportunities become referrals."""
        self.tell.chapter("A seller flags opportunities: they become referrals")
        for number in range(self.deals):
            self.ours.append(self.seller_creates(f"Deal {number + 1}", "US"))
        self.tell.say(f"{self.deals} complete opportunities are ticked [b]Sync with Partner Center[/b]")
        with self.tell.progress("referrals", "referral_created", self.deals):
            self.fire("push_opportunities")
        rows = [self.opportunity(key) for key in self.ours]
        self.tell.check(all(row["Referral_Identifier__c"] for row in rows), "an opportunity has no referral id")
        first = rows[0]
        self.tell.say(f"{first['Name']}: referral id [b]{first['Referral_Identifier__c']}[/b]")
        self.tell.say(f"link {first['Referral_Link__c']}, mark {first['Sync_Mark__c']} ({first['Sync_Status__c']})")
        self.tell.say(f"audit: {first['Audit__c']}")
        for row in rows:
            self.check_same(row, self.referral(row["Referral_Identifier__c"]))
        self.tell.say(f"all {len(rows)} referrals hold what their opportunities hold")
        self.settle_events()

    def seller_creates(self, name: str, country: str | None) -> str:
        """One opportunity of an account of its own."""
        return self.systems.seller_creates(name, country=country, Description="Replacing the old one.")

    def seller_edits(self) -> None:
        """Edits and a win travel to Partner Center."""
        self.tell.chapter("The seller changes amounts and closing dates, and wins a deal")
        for number, key in enumerate(self.ours):
            amount, day = 20_000 + number, date(NEXT_YEAR, 6, 1) + timedelta(days=number % 28)
            self.systems.salesforce.edit("Opportunity", key, {"Amount": amount, "CloseDate": day.isoformat()})
        won = self.ours[-1]
        self.systems.salesforce.edit("Opportunity", won, {"StageName": "Closed Won"})
        self.tell.say(f"{len(self.ours)} opportunities edited, {self.opportunity(won)['Name']} won")
        with self.tell.progress("changes", "referral_patched", self.deals):
            self.fire("push_opportunities")
        for key in self.ours:
            row = self.opportunity(key)
            self.check_same(row, self.referral(row["Referral_Identifier__c"]))
        status = self.referral(self.opportunity(won)["Referral_Identifier__c"])
        self.tell.check((status["status"], status["substatus"]) == ("Closed", "Won"), "the won deal is not won")
        self.tell.say(f"audit: {self.opportunity(self.ours[0])['Audit__c'].splitlines()[0]}")
        self.tell.say(f"both sides agree; {self.opportunity(won)['Name']} is {status['status']}/{status['substatus']}")
        self.settle_events()

    def colleague_edits(self) -> None:
        """A change in Partner Center arrives by event."""
        self.tell.chapter("A colleague changes closing dates in Partner Center")
        self.tell.witness.forget_receipts()
        changed = {}
        for number, key in enumerate(self.ours[:-1]):
            day = date(NEXT_YEAR, 9, 1) + timedelta(days=number % 28)
            changed[key] = day.isoformat()
            patch = [{"op": "replace", "path": "/details/closingDateTime", "value": f"{day.isoformat()}T00:00:00Z"}]
            self.systems.partner_center.portal_edits(self.opportunity(key)["Referral_Identifier__c"], patch)
        with self.tell.progress("events", "opportunity_written", len(changed)):
            self.settle_events()
        wrong = [key for key, day in changed.items() if self.opportunity(key)["CloseDate"] != day]
        self.tell.check(not wrong, f"{len(wrong)} closing dates did not arrive")
        if changed:
            self.tell.say(f"audit: {self.opportunity(self.ours[0])['Audit__c'].splitlines()[0]}")
        self.tell.say(f"{len(changed)} closing dates arrived by event")

    def microsoft_sends(self) -> None:
        """New deals become opportunities."""
        self.tell.chapter("Microsoft sends new deals: they become opportunities")
        self.theirs = [self.systems.partner_center.microsoft_sends() for _ in range(self.deals)]
        with self.tell.progress("events", "opportunity_created", self.deals):
            self.settle_events()
        made = {row["Referral_Identifier__c"]: row for row in self.systems.salesforce.records("Opportunity")}
        missing = [key for key in self.theirs if key not in made]
        self.tell.check(not missing, f"{len(missing)} deals of Microsoft's did not arrive")
        for key in self.theirs:
            self.check_same(made[key], self.referral(key))
        first = made[self.theirs[0]]
        self.tell.say(f"{first['Name']}: stage [b]{first['StageName']}[/b], flagged, mark {first['Sync_Status__c']}")
        self.tell.say(f"audit: {first['Audit__c']}")
        self.tell.say(f"{len(self.theirs)} opportunities made; event to Salesforce: {self.tell.latency()}")

    def strangers_knock(self) -> None:
        """A forged event is refused; a replayed one is harmless."""
        self.tell.chapter("A forged event, and a replayed one")
        known = self.opportunity(self.ours[0])["Referral_Identifier__c"]
        headers, body = self.systems.partner_center.signed_event(known)
        before, door = (self.referral(known), self.opportunity(self.ours[0])), f"{self.host.url}/api/events"
        with httpx.Client(verify=self.systems.authority.client(), trust_env=False) as client:
            forged = client.post(door, headers=headers, content=body.replace(b"updated", b"created"))
            replayed = [client.post(door, headers=headers, content=body) for _ in range(2)]
        self.tell.check(forged.status_code == 401 and not forged.content, f"forged: {forged.status_code}")  # noqa: PLR2004 - HTTP
        self.tell.say("a body that was changed after signing is answered 401, without detail")
        self.tell.check({answer.status_code for answer in replayed} == {202}, "replayed events were refused")
        self.settle_events()
        self.tell.check(before == (self.referral(known), self.opportunity(self.ours[0])), "a replay changed something")
        self.tell.say("a replayed event is answered 202 and changes nothing")

    def incomplete(self) -> None:
        """What cannot be sent says why, and goes once mended."""
        self.tell.chapter("An incomplete opportunity")
        key = self.seller_creates("Incomplete deal", None)
        self.tell.say("the customer's account has no country")
        self.fire("push_opportunities")
        row = self.opportunity(key)
        self.tell.check(row["Referral_Identifier__c"] is None, "an incomplete opportunity was sent")
        self.tell.check("country" in (row["Audit__c"] or ""), "the audit does not say why")
        self.tell.say(f"not sent, mark {row['Sync_Mark__c']}; audit: {row['Audit__c']}")
        self.systems.salesforce.edit("Account", row["AccountId"], {"BillingCountry": "DE"})
        self.tell.say("the seller enters the country on the account")
        self.fire("push_opportunities")
        row = self.opportunity(key)
        self.tell.check(row["Referral_Identifier__c"] is not None, "the mended opportunity was not sent")
        self.ours.append(key)
        self.tell.say(f"sent by itself, mark {row['Sync_Mark__c']}")
        self.settle_events()

    def nothing_left(self) -> None:
        """The sweep finds nothing that the events missed."""
        self.tell.chapter("The sweep looks for what events missed")
        seen = len(self.systems.salesforce.journal), len(self.systems.partner_center.journal)
        self.fire("sweep_referrals")
        self.settle_events()
        wrote = writings(self.systems.salesforce.journal[seen[0] :], self.systems.partner_center.journal[seen[1] :])
        self.tell.check(not wrote, f"the sweep found what was missed, and wrote: {', '.join(wrote)}")
        self.tell.say("nothing was missed: the sweep only read")

    def in_step(self) -> None:
        """Every opportunity has one referral and every referral of ours one opportunity, and each two hold the same."""
        self.tell.chapter("A last look at both sides")
        rows = self.systems.salesforce.records("Opportunity")
        referrals = {each["id"]: each for each in self.systems.partner_center.referrals(ORGANIZATION)}
        paired = sorted(str(row["Referral_Identifier__c"]) for row in rows)
        unpaired = f"{len(rows)} opportunities are not paired with {len(referrals)} referrals"
        self.tell.check(paired == sorted(referrals), unpaired)
        for row in rows:
            self.check_same(row, referrals[row["Referral_Identifier__c"]])
        self.tell.say(f"all {len(rows)} pairs hold the same name, status, notes, money and closing date")

    # --- checking and showing

    def check_same(self, row: dict[str, Any], referral: dict[str, Any]) -> None:
        """Both sides hold the same name, status, notes, money and closing date."""
        found = differences(row, referral)
        self.tell.check(not found, f"{row['Id']} and {referral['id']} differ: {'; '.join(found)}")

    def show(self) -> None:
        """Both sides side by side, and what it cost."""
        rows = []
        every = {row["Referral_Identifier__c"]: row for row in self.systems.salesforce.records("Opportunity")}
        shown = [self.opportunity(key)["Referral_Identifier__c"] for key in (*self.ours[:3], *self.ours[-2:])]
        for key in [*dict.fromkeys(shown), *self.theirs[:3]]:
            row, referral = every[key], self.referral(key)
            rows.append(_side_by_side(row, referral))
        self.tell.table(
            f"Both sides, {len(rows)} of {len(self.ours) + len(self.theirs)} deals",
            ("deal", "Salesforce", "Partner Center"),
            rows,
        )
        self.tell.table("Our calls to the outside", ("system", "call", "count"), counted(self._journals()))

    def _journals(self) -> dict[str, list[tuple[str, str]]]:
        return {
            name: [(entry.method, _short(entry.path)) for entry in emulator.journal]
            for name, emulator in self.systems.emulators.items()
        }


def _side_by_side(row: dict[str, Any], referral: dict[str, Any]) -> tuple[str, str, str]:
    details = referral["details"]
    here = f"{row['StageName']}, {float(row['Amount']):,.2f} {row['CurrencyIsoCode']}, {row['CloseDate']}"
    there = f"{float(details['dealValue']):,.2f} {details['currency']}, {details['closingDateTime'][:10]}"
    return row["Name"], here, f"{referral['status']}/{referral['substatus']}, {there}"


def _short(path: str) -> str:
    """A path without ids, so that calls can be counted."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "…", path)


def tell(deals: int, console: Console) -> None:
    """Tell the whole story. Raises StoryFailed, and what the systems raise."""
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        Witness().attached() as witness,
        started(Path(folder)) as systems,
        storage.opened(systems.environ, ROOT, Path(folder)) as kept,
        Host(ROOT, environ=kept.environ, queue=kept.queues) as host,
        closing(systems.partner_center),  # no event is sent to a host that stops
    ):
        narrator = Narrator(console, witness)
        host.start(tls=systems.authority.server())
        systems.partner_center.register_events(f"{host.url}/api/events")
        narrator.say("emulators of Salesforce, Partner Center, Entra ID and Key Vault run, all over TLS")
        narrator.say(f"the local Functions host has loaded the app: {', '.join(sorted(host.functions))}")
        where = "Azurite's" if kept.name == storage.AZURITE else "embedded (STORAGE=azurite: Azurite's)"
        narrator.say(f"queues and tables are {where}")
        narrator.say("the waiting time before a close is sent (2 minutes in production) is set to 0 here")
        _act(Story(systems, host, narrator, deals))
        console.print(f"\n[green]Both sides are in step.[/green] {narrator.elapsed:.1f} s")


def _act(story: Story) -> None:
    steps: tuple[Callable[[], None], ...] = (
        story.seller_flags, story.seller_edits, story.colleague_edits, story.microsoft_sends,
        story.strangers_knock, story.incomplete, story.nothing_left, story.in_step, story.show,
    )  # fmt: skip
    try:
        for step in steps:
            step()
    except KeyboardInterrupt:
        logging.disable()  # a run that was going on ends in its own thread, and would tell of systems that are gone
        raise


def main() -> int:
    """Run with the number of deals each way that DEALS says (10); exit status as the module says."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    text = os.environ.get("DEALS", "10")
    if not re.fullmatch("[1-9][0-9]{0,6}", text):
        said = f"DEALS must be a whole number from 1, not {text!r}; for example: make run DEALS=1000"
        console.print(said, markup=False)
        return 2
    try:
        tell(int(text), console)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return INTERRUPTED
    except ConfigurationError as error:
        console.print(f"Cannot run: {error}", markup=False)
        return 2
    except StoryFailed as failure:
        console.print(f"\n[red]The story failed:[/red] {escape(str(failure))}")
        return 1
    except Exception as failure:  # noqa: BLE001 - whatever went wrong, the reader gets the reason and a status
        console.print(f"\n[red]The story failed:[/red] {type(failure).__name__}: {escape(str(failure))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
