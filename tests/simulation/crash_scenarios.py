"""The scenarios in which a process dies at each place in turn, and what each promises beside the oracle's judgement.

The twelfth, the rotation of keys, needs real sign-ins: `test_crashes_of_key_rotation.py`.

`python -m tests.simulation.crash_scenarios` dies at every place of each, and prints how many there are.
"""

import logging
import sys
from collections.abc import Iterator

from shared.operations.stopped_changes import approve_stops, find_stops
from shared.sync.ask_microsoft import LISTED
from tests.no_waits import no_waits
from tests.simulation.crash_places import Place
from tests.simulation.crash_scene import Scenario, Scene, play, push, run_until_quiet
from tests.simulation.held_values import HELP_COLUMN, OPEN, of_referral
from tests.simulation.leaving import LEAVING
from tests.simulation.moves import HELP, TICK
from tests.simulation.sabotage import Sabotage
from tests.unit.sync.harness import HOUR, RESTED

LIMIT, DEALS = 3, 5
"""The limit of the mass-change stop, and the deals that are ticked at once."""
TWO_MINUTES = 150.0
"""Seconds: a little more than what cannot be undone waits."""
CUSTOMER = {
    "name": "Fabrikam Robotics",
    "address": {"addressLine1": "9 Harbour Road", "city": "Aarhus", "country": "DK"},
    "team": [{"firstName": "Ada", "lastName": "Lind", "email": "ada@fabrikam.example", "phoneNumber": "+4512345678"}],
}
DETAILS = {"dealValue": 25000, "currency": "EUR", "closingDateTime": "2027-03-15T00:00:00Z", "notes": "A pilot first."}


def differences(scene: Scene, **expected: object) -> Iterator[str]:
    """Each expected value that the scene does not have."""
    referrals, opportunities = scene.harness.our_referrals(), scene.harness.salesforce.records("Opportunity")
    held: dict[str, object] = {"referrals": len(referrals), "opportunities": len(opportunities)}
    held |= {"stage": scene.deal["StageName"], "amount": scene.deal["Amount"], "sync": scene.deal["Sync_Status__c"]}
    held |= {"value": scene.referral["details"]["dealValue"], "status": of_referral(scene.referral)["status"]}
    held |= {"substatus": scene.referral["substatus"]}
    yield from (
        f"expected: {name} is {held[name]!r} and not {value!r}"
        for name, value in expected.items()
        if held[name] != value
    )


def told_once(scene: Scene, *texts: str) -> Iterator[str]:
    """Whether the audit of the deal has one of these texts, and only once."""
    found = sum(str(scene.deal["Audit__c"]).count(text) for text in texts)
    if found != 1:
        yield f"expected: the audit says {found} times {texts[0]!r}"


# --- before the process that may die starts


def nothing(_: Scene) -> None:
    """Nobody has done anything."""


def linked(scene: Scene) -> None:
    """A deal of a seller, with its referral."""
    scene.add_deal(Amount=10000)
    run_until_quiet(scene)


def sent_by_microsoft(scene: Scene) -> None:
    """A deal that Microsoft sends; nobody has pulled it."""
    scene.people.add_referral(name="Robots for the harbour", customerProfile=CUSTOMER, details=DETAILS)


def arrived(scene: Scene) -> None:
    """A deal that Microsoft has sent; its opportunity waits for an answer."""
    sent_by_microsoft(scene)
    run_until_quiet(scene)


# --- steps


def creates(scene: Scene) -> None:
    """The seller ticks a complete opportunity."""
    if not scene.deals:
        scene.add_deal(Amount=10000)


def asks_for_help(scene: Scene) -> None:
    """A seller ticks a complete opportunity, and asks Microsoft for help with it."""
    scene.harness.partner_center.switches.related_lists = "all"
    scene.harness.store.move_cursor(LISTED, scene.harness.now())
    scene.add_deal(Amount=10000)
    scene.people.add_contact(scene.deal)
    scene.seller_saves(**{HELP_COLUMN: "Proof Of Concept or Demo"})


def event(scene: Scene) -> None:
    """The queue delivers the message about the first referral."""
    scene.process.pull_event(scene.referral["id"], RESTED)


def edits(scene: Scene) -> None:
    """The seller edits two values."""
    scene.seller_saves(Amount=27000, CloseDate="2027-04-01")


def both_edit(scene: Scene) -> None:
    """The seller and a colleague edit one value, and each of them another one."""
    edits(scene)
    scene.colleague_saves(details_dealValue=29000, details_notes="The whole fleet.")


def accepts(scene: Scene) -> None:
    """The seller accepts the deal, and edits it."""
    scene.seller_saves(StageName="Qualification", Amount=26000)


def loses(scene: Scene) -> None:
    """The seller closes the deal as lost: of an unanswered one, this is a decline."""
    scene.seller_saves(StageName="Closed Lost")


def wins(scene: Scene) -> None:
    """The seller wins the deal."""
    scene.seller_saves(StageName="Closed Won", Amount=28000)


def unticks(scene: Scene) -> None:
    """The seller takes the tick away, beside an edit."""
    scene.seller_saves(**{TICK: False}, Amount=777)


def ticks(scene: Scene) -> None:
    """The seller ticks the deal again."""
    scene.findings += differences(scene, value=10000, status=OPEN)
    scene.seller_saves(**{TICK: True})


def deletes(scene: Scene) -> None:
    """The seller deletes the opportunity; a colleague edits the referral meanwhile."""
    scene.harness.salesforce.delete("Opportunity", scene.deals[0])
    scene.colleague_saves(details_dealValue=29000)


def restores(scene: Scene) -> None:
    """The seller takes the opportunity from the recycle bin."""
    scene.findings += differences(scene, referrals=1, opportunities=0, status=OPEN)
    scene.harness.salesforce.undelete("Opportunity", scene.deals[0])


def ticks_many(scene: Scene) -> None:
    """More deals are ticked at once than the limit allows."""
    for number in range(DEALS):
        scene.add_deal(Name=f"Deal {number}", Amount=1000 + number)


def is_stopped(scene: Scene) -> None:
    """Nobody has approved anything: the limit holds."""
    if len(scene.harness.our_referrals()) > LIMIT:
        scene.findings.append("expected: more deals were created than the limit allows")


def approves(scene: Scene) -> None:
    """The operator approves what is stopped: `cosell approve` is the process that may die."""
    ctx = scene.process.ctx
    approve_stops(ctx, find_stops(ctx), "local")


# --- what is expected


def created(scene: Scene) -> Iterator[str]:
    """One referral, linked, and told once."""
    yield from differences(scene, referrals=1, opportunities=1, value=10000, status=OPEN, sync="Synced")
    yield from told_once(scene, "referral was created", "was linked to the referral")


def helped(scene: Scene) -> Iterator[str]:
    """The same, and Microsoft was asked once."""
    yield from created(scene)
    codes = [record["inviteContext"]["assistanceRequestCode"] for record in scene.people.asked()]
    if codes != ["ProofOfConceptOrDemo"]:
        yield f"expected: Microsoft was asked for {codes}"
    refused = [entry.status for entry in scene.harness.partner_center.journal if entry.method == "POST"]
    yield from ["expected: a request was refused"] if 400 in refused else []


def updated(scene: Scene) -> Iterator[str]:
    """Both values are in Partner Center, and told once."""
    yield from differences(scene, referrals=1, value=27000, sync="Synced")
    yield from told_once(scene, "10000.00 USD → 27000.00 USD")


def merged(scene: Scene) -> Iterator[str]:
    """The seller's value stands on both sides, the audit has both, and the other edits have travelled."""
    yield from differences(scene, referrals=1, value=27000, amount=27000, sync="Synced")
    if scene.deal["Description"] != "The whole fleet." or scene.deal["CloseDate"] != "2027-04-01":
        yield "expected: the edits of other values have travelled"


def accepted(scene: Scene) -> Iterator[str]:
    """Microsoft has the answer, with the edit that came with it."""
    yield from differences(
        scene, referrals=1, opportunities=1, status=OPEN, substatus="Accepted", value=26000, sync="Synced"
    )


def declined(scene: Scene) -> Iterator[str]:
    """Microsoft has the decline."""
    yield from differences(scene, opportunities=1, substatus="Declined", stage="Closed Lost", sync="Synced")


def won(scene: Scene) -> Iterator[str]:
    """Microsoft has the win, with the edit that came with it."""
    yield from differences(scene, referrals=1, substatus="Won", stage="Closed Won", value=28000, sync="Synced")
    yield from told_once(scene, "To Partner Center: Stage")


def arrived_once(scene: Scene) -> Iterator[str]:
    """One opportunity with one customer, one contact and one role, and told once."""
    yield from differences(scene, referrals=1, opportunities=1, stage="On Hold", amount=25000, sync="Waiting")
    yield from told_once(scene, "This opportunity was created")
    for name in ("Account", "Contact", "OpportunityContactRole"):
        count = len([one for one in scene.harness.salesforce.records(name) if one.get("Name") != "Northwind Traders"])
        yield from [f"expected: {count} records of {name}"] if count != 1 else []


def travelled_after_the_tick(scene: Scene) -> Iterator[str]:
    """The edit beside the un-tick has travelled after the tick; the pause was told once, if it was seen."""
    yield from differences(scene, referrals=1, value=777, sync="Synced")
    if str(scene.deal["Audit__c"]).count("is not ticked any more") > 1:
        yield "expected: the pause is told once"


def merged_after_the_restore(scene: Scene) -> Iterator[str]:
    """The colleague's edit has travelled after the restore; the deletion was told once."""
    yield from differences(scene, referrals=1, opportunities=1, amount=29000, sync="Synced")
    yield from told_once(scene, "This opportunity was deleted")


def all_created(scene: Scene) -> Iterator[str]:
    """Every deal has its referral after the approval."""
    yield from differences(scene, referrals=DEALS, opportunities=DEALS)


SCENARIOS = {
    "create": Scenario(nothing, (creates, push(), push()), created),
    "create with help": Scenario(
        nothing, (asks_for_help, push(), push(TWO_MINUTES), push()), helped, frozenset({HELP})
    ),
    "update": Scenario(linked, (edits, push(), push()), updated),
    "accept": Scenario(arrived, (accepts, push(), push(TWO_MINUTES)), accepted),
    "decline": Scenario(arrived, (loses, push(), push(TWO_MINUTES)), declined),
    "win": Scenario(linked, (wins, push(), push(TWO_MINUTES)), won),
    "pull create": Scenario(sent_by_microsoft, (event, push()), arrived_once),
    "conflict": Scenario(linked, (both_edit, push(), push()), merged),
    "un-tick": Scenario(linked, (unticks, push(), ticks, push()), travelled_after_the_tick),
    "delete": Scenario(
        linked, (deletes, *[push()] * 6, event, restores, *[push()] * 6), merged_after_the_restore, frozenset({LEAVING})
    ),
    "mass-change stop": Scenario(
        # A process that dies loses a part of the allowance, so the operator looks twice.
        nothing,
        (ticks_many, push(), push(HOUR), is_stopped, *(approves, push(), push(HOUR)) * 2),
        all_created,
        limit=LIMIT,
    ),
}


def places_of(name: str) -> list[Place]:
    """Every place at which the process of a scenario can die. Fails if the scenario finds something without a crash."""
    whole = play(SCENARIOS[name])
    assert whole.findings == [], f"{name}, no crash: {whole.findings}"
    return list(whole.calls.places)


def findings_at(name: str, place: Place, sabotage: Sabotage | None = None) -> list[str]:
    """What is found where the process of a scenario dies at a place."""
    scene = play(SCENARIOS[name], place, sabotage)
    where = f"{'after' if place.is_after else 'before'} call {place.number}, {scene.calls.names[-1]}"
    return [f"{name}, died {where}: {finding}" for finding in scene.findings]


def main() -> int:
    """Print the table. The exit code is 1 if something was found."""
    logging.disable()  # the clients log each repeated read
    found: list[str] = []
    with no_waits():
        for name in sys.argv[1:] or SCENARIOS:
            places = places_of(name)
            sys.stdout.write(f"{name}: {len(places)} places\n")
            found += [finding for place in places for finding in findings_at(name, place)]
    sys.stdout.write("\n".join([*found, ""]))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
