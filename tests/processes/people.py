"""What sellers, colleagues and Microsoft do while hosts are killed. Nobody enters an amount, a day or a note twice.

They act through the emulators, as people do through the pages of the two systems, and know nothing of the connector.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, pairwise

from emulators.partner_center.emulator import ORGANIZATION
from local.systems import Systems

FIRST_DAY = date(date.today().year + 1, 1, 1)  # noqa: DTZ011 - any future date is good
FIRST_AMOUNT = 20_001
ASKED, OTHER_STAGES, READING_SECONDS = "may be set by automation", ("Prospecting", "Needs Analysis"), 3.0


@dataclass(frozen=True)
class Edit:
    """A person gave a field of a deal a value; `deal` is the key of a record of that side."""

    side: str
    deal: str
    field: str
    value: object


@dataclass
class People:
    """The people of a run with `deals` deals each way, and what they did, oldest first."""

    systems: Systems
    deals: int
    chance: random.Random
    opportunities: list[str] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    wanted: dict[str, str] = field(default_factory=dict)
    shown: dict[str, tuple[object, float]] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def first_acts(self) -> list[Callable[[], None]]:
        """All that must be done: each deal is created, and each of Microsoft's is answered; then edits of all deals."""
        create = [self.seller_creates, self.microsoft_sends] * self.deals
        others = [self.seller_answers] * self.deals + [self.somebody_edits] * (4 * self.deals) + [self.seller_wins] * 3
        self.chance.shuffle(others)
        return [act for each in zip(create, _parts(others, len(create)), strict=True) for act in (each[0], *each[1])]

    # --- what people do

    def seller_creates(self) -> None:
        """A seller ticks a new, complete deal."""
        name = f"Deal {len(self.opportunities) + 1}"
        self.opportunities.append(self.systems.seller_creates(name, Description="Replacing the old one."))

    def microsoft_sends(self) -> None:
        """Microsoft sends a deal of a customer of its own."""
        name = f"Customer {len(self.referrals) + 1}"
        self.referrals.append(self.systems.partner_center.microsoft_sends(customerProfile={"name": name}))

    def seller_answers(self) -> None:
        """A seller accepts or declines a deal of Microsoft's that has arrived."""
        waiting = [key for key in self._arrived() if key not in self.answered]
        if not waiting:
            return
        key = self.chance.choice(waiting)
        self.answered.add(key)
        if self.chance.random() < 0.25:
            self.closed.add(key)
            self._edit_opportunity(key, StageName="Closed Lost", Closing_Reason__c="Timeline too short")
        else:
            self._edit_opportunity(key, StageName="Qualification")

    def seller_wins(self) -> None:
        """A seller wins a deal of their own."""
        open_deals = [key for key in self.opportunities if key not in self.closed and self._referral_of(key)]
        if open_deals:
            key = self.chance.choice(open_deals)
            self.closed.add(key)
            self._edit_opportunity(key, StageName="Closed Won")

    def somebody_edits(self) -> None:
        """A seller or a colleague edits an open deal."""
        key = self._open_deal()
        if key is None:
            return
        if self.chance.random() < 0.5 or not self._is_open(self._referral_of(key)):
            self._seller_edits(key)
        else:
            self._colleague_edits(self._referral_of(key))

    def _seller_edits(self, key: str) -> None:
        day, number = self._next_day(), next(self.numbers)
        values: Sequence[dict[str, object]] = (
            {"Amount": FIRST_AMOUNT + number}, {"CloseDate": day}, {"Description": f"Note {number}."},
        )  # fmt: skip
        self._edit_opportunity(key, **self.chance.choice(values))

    def _colleague_edits(self, referral: str) -> None:
        day, number = self._next_day(), next(self.numbers)
        values: Sequence[tuple[str, object]] = (
            ("dealValue", FIRST_AMOUNT + number), ("closingDateTime", f"{day}T00:00:00Z"),
        )  # fmt: skip
        name, value = self.chance.choice(values)
        patch = [{"op": "replace", "path": f"/details/{name}", "value": value}]
        self.systems.partner_center.portal_edits(referral, patch)
        self.edits.append(Edit("Partner Center", referral, name, value))

    def answer_questions(self) -> None:
        """Sellers who are asked whether they chose a stage choose another one, and then theirs again.

        They are asked where a host was killed after it had created the opportunity, and where it writes at the moment
        in which they choose (docs/protocol.md#answers-that-nobody-gave). They read first, and answer each once.
        """
        for record in self.systems.salesforce.records("Opportunity"):
            key, stage, status = record["Id"], record["StageName"], record["Sync_Status__c"]
            question = f"{key} {_newest_entries(record['Audit__c'])}"
            if not self._has_stood(key, (stage, status, question)):
                continue
            if ASKED in question and question not in self.questions:
                self.questions.append(question)
                self.wanted.setdefault(key, stage)
                self._edit_opportunity(key, StageName=OTHER_STAGES[stage == OTHER_STAGES[0]])
            elif status == "Synced" and stage != self.wanted.get(key, stage):
                self._edit_opportunity(key, StageName=self.wanted[key])

    def _has_stood(self, key: str, shown: object) -> bool:
        """Whether an opportunity has shown the same for as long as a seller reads."""
        before, since = self.shown.get(key, (None, 0.0))
        if before != shown:
            self.shown[key] = shown, time.monotonic()
        return before == shown and time.monotonic() - since > READING_SECONDS

    # --- reading

    def _arrived(self) -> list[str]:
        """The opportunities of Microsoft's deals."""
        records = self.systems.salesforce.records("Opportunity")
        return [record["Id"] for record in records if record["Referral_Identifier__c"] in self.referrals]

    def _open_deal(self) -> str | None:
        keys = [key for key in (*self.opportunities, *self.answered) if key not in self.closed]
        return self.chance.choice(sorted(keys)) if keys else None

    def _referral_of(self, opportunity: str) -> str:
        """The referral's id that the opportunity shows; empty if it shows none."""
        return str(self.systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"] or "")

    def _is_open(self, referral: str) -> bool:
        """Whether a colleague can edit the referral in the portal."""
        records = {record["id"]: record for record in self.systems.partner_center.referrals(ORGANIZATION)}
        return referral in records and records[referral]["status"] == "Active"

    def _edit_opportunity(self, key: str, **values: object) -> None:
        self.systems.salesforce.edit("Opportunity", key, values)
        self.edits += [Edit("Salesforce", key, name, value) for name, value in values.items()]

    def _next_day(self) -> str:
        return (FIRST_DAY + timedelta(days=next(self.numbers) % 360)).isoformat()


def _newest_entries(audit: str | None) -> str:
    """The lines of the audit that have the time of the first one."""
    lines = (audit or "").splitlines()
    return "\n".join(line for line in lines if line.startswith(lines[0].partition(" UTC")[0]))


def _parts[T](items: Sequence[T], number: int) -> list[Sequence[T]]:
    """The items in `number` parts that differ in length by one at most."""
    bounds = [len(items) * place // number for place in range(number + 1)]
    return [items[first:last] for first, last in pairwise(bounds)]
