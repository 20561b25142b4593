"""Microsoft as a party of the deals: who shares them, what Microsoft does, and what must hold at the end.

Only seeds that ask for `NEWS` have these moves, because the writes of the others are recorded.

heard    the opportunity shows the status and the CRM id of Microsoft's record
shared   both sides say the same of visibility, or the audit says that it cannot be undone
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from emulators.partner_center.service_errors import ServiceError
from tests.simulation.held_values import Record
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People

NEWS = "Microsoft acts"
VISIBLE, CONSENT = "Visible_to_Microsoft__c", "consentToShareReferralWithMicrosoftSellers"
SHOWN = {
    "New/Pending": "Asked",
    "New/Received": "Asked",
    "Active/Accepted": "Accepted",
    "Closed/Declined": "Declined",
    "Closed/Expired": "Expired",
    "Closed/Won": "Won",
    "Closed/Lost": "Lost",
}
"""What an opportunity shows of Microsoft's record."""

Choose = Callable[[People, Record], Mapping[str, object] | None]


# --- what people and Microsoft do


def _seller(name: str, weight: int, choose: Choose) -> Move:
    def act(people: People) -> bool:
        record = people.choose(people.opportunities())
        values = choose(people, record) if record else None
        return record is not None and values is not None and people.save_opportunity(record, values)

    return Move(f"seller {name}", weight, act, also=NEWS)


def _colleague_shares(people: People) -> bool:
    record = people.choose([one for one in people.referrals() if one["status"] == "Active"])
    if record is None or record["consent"][CONSENT]:
        return False
    return people.save_referral(record, {f"consent_{CONSENT}": True})


def _microsoft(name: str, weight: int, status: str, act: Callable[[People, str], object]) -> Move:
    """What Microsoft does with one of its records that has this status."""

    def choose(people: People) -> bool:
        known = [one["engagementId"] for one in people.asked() if one["status"] == status]
        try:
            return bool(known) and act(people, str(people.chance.choice(known))) is not None
        except ServiceError:
            return False

    return Move(f"microsoft {name}", weight, choose, also=NEWS)


def _accept(people: People, engagement: str) -> object:
    return people.harness.partner_center.microsoft_accepts(engagement, msx_id=f"7-{next(people.numbers)}")


def _add_news(people: People, engagement: str) -> object:
    return people.harness.partner_center.microsoft_adds_news(engagement, notes=f"Microsoft: {next(people.numbers)}.")


def _close(people: People, engagement: str) -> object:
    return people.harness.partner_center.microsoft_closes(engagement, people.chance.choice(("Won", "Lost")))


NEWS_MOVES = (
    _seller("shares", 15, lambda _, old: None if old[VISIBLE] else {VISIBLE: True}),
    _seller("hides", 6, lambda _, old: {VISIBLE: False} if old[VISIBLE] else None),
    Move("colleague shares", 8, _colleague_shares, also=NEWS),
    _microsoft("accepts", 40, "New", _accept),
    _microsoft("declines", 12, "New", lambda people, key: people.harness.partner_center.microsoft_declines(key)),
    _microsoft("adds news", 15, "Active", _add_news),
    _microsoft("closes", 8, "Active", _close),
)


# --- what must hold


def judge_news(people: People) -> Iterator[str]:
    """The broken promises, each with its deal."""
    for opportunity in people.opportunities():
        referral = people.referral_of(opportunity)
        if referral is None or not opportunity[TICK]:
            continue
        records = [one for one in people.asked() if one["engagementId"] == referral["engagementId"]]
        yield from (f"{finding} ({opportunity['Id']})" for finding in _of_pair(opportunity, referral, records))


def _of_pair(opportunity: Record, referral: Record, records: Sequence[Record]) -> Iterator[str]:
    here, there = bool(opportunity[VISIBLE]), bool(referral["consent"][CONSENT])
    if here != there and "Visible to Microsoft sellers" not in (opportunity["Audit__c"] or ""):
        yield f"shared: {here} here, {there} there, and the audit is silent"
    for record in records:
        shown = opportunity["Microsoft_Status__c"], opportunity["Microsoft_CRM_Identifier__c"]
        msx_id = (record["trackingInfo"] or {}).get("microsoftMsxId")
        held = SHOWN[f"{record['status']}/{record['substatus']}"], msx_id
        if shown != held:
            yield f"heard: the opportunity shows {shown}, Microsoft holds {held}"
