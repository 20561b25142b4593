"""Referrals that are not this environment's: of staging, from before the beginning, of another partner.

Colleagues go on working with them; the connector hears of them by events and lists, and must leave them alone.
"""

from collections.abc import Iterator

from emulators.partner_center.service_errors import ServiceError
from tests.simulation.judges.foreign_records import judge_foreign
from tests.simulation.moves import Move
from tests.simulation.people import People

FOREIGN = "referrals of other environments"
LONG_AGO = "2026-11-22T08:59:59.9999999Z"
"""Before the beginning of the sync."""


def begin_with_foreign(people: People) -> None:
    """Make the foreign referrals. A sandbox that was refreshed has the ids of production's opportunities."""
    if FOREIGN not in people.also:
        return
    partner_center = people.harness.partner_center
    ours = [record["Id"] for record in people.opportunities()] or ["006000000000009AAA"]
    staging = {"name": "Of staging", "externalReferenceId": f"STAGING:{people.chance.choice(ours)}"}
    made = [partner_center.portal_creates(staging), partner_center.portal_creates({"name": "Of long ago"})]
    partner_center.raw_patch(made[1], {"/createdDateTime": LONG_AGO})
    made.append(partner_center.partner_creates(name="Of another partner"))
    people.foreign |= {key: dict(partner_center.referral(key)) for key in made}


def _colleague_edits(people: People) -> bool:
    """A colleague works with a foreign referral, of which an event comes, and which the list shows."""
    key = people.chance.choice([*people.foreign, None])
    if key is None:
        return False
    try:
        people.harness.colleague_edits(key, details_dealValue=people.amount())
    except ServiceError:  # another partner's
        return False
    people.foreign[key] = dict(people.harness.partner_center.referral(key))
    return True


FOREIGN_MOVES = (Move("colleague edits a foreign referral", 40, _colleague_edits, "", FOREIGN),)


def judge_foreign_referrals(people: People) -> Iterator[str]:
    """What the connector has done with them."""
    present = people.harness.partner_center.referrals()
    yield from judge_foreign(people.foreign.values(), present, people.opportunities())
