"""A staging app beside the production app: another Salesforce and another store, the same Partner Center.

Sources: docs/protocol.md#an-environment-touches-only-its-own, docs/staging-and-production.md. A sandbox carries the
ids, the ticks and the referral ids of production. Nothing of one environment is written by the other, and staging's own
deals are in step. `foreign.py` has what no app works on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulators.base.server import Request, Response
from emulators.salesforce.data.errors import ApiError
from local.in_process_transport import EmulatorService
from shared.sync.ports import Policy
from tests.simulation.held_values import of_opportunity, of_referral
from tests.simulation.judges.foreign_records import judge_staging_write
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People
from tests.unit.sync.harness import PARTNER_CENTER_URL, Harness

STAGING = "a staging app beside the production app"
TAG = "SANDBOX"
IDENTIFIER = "Referral_Identifier__c"


@dataclass
class Staging:
    """The sandbox with its app, the deals that testers made there, and what its app has done wrong."""

    harness: Harness
    deals: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def begin_with_staging(people: People) -> None:
    """Set the sandbox up, with a store and a sign-in of its own, at the time of production."""
    if STAGING not in people.also:
        return
    production, sandbox = people.harness, Harness(tag=TAG, policy=Policy(hold_win=timedelta(), may_share=False))
    for clock in sandbox.clocks:
        clock.set(production.now())
    production.clocks.append(sandbox.clocks[0])
    sandbox.clocks = production.clocks
    sandbox.partner_center.close()
    sandbox.partner_center = production.partner_center
    people.staging = Staging(sandbox)
    sandbox._service = EmulatorService(lambda request: _answer(people.staging, request), PARTNER_CENTER_URL)


def end_staging(people: People) -> None:
    """Close the sandbox and its store."""
    if people.staging is not None:
        people.staging.harness.rows.close()
        people.staging.harness._adapter.close()


def _answer(staging: Staging, request: Request) -> Response:
    """Judge a request of the staging app, and let Partner Center answer it."""
    partner_center = staging.harness.partner_center
    if request.method != "GET":
        references = {one["id"]: str(one["externalReferenceId"]) for one in partner_center.referrals()}
        sent = json.loads(request.body)
        staging.findings += judge_staging_write(request.method, request.path.rpartition("/")[2], sent, references, TAG)
    return partner_center.handle(request)


# --- what happens there


def _adds_a_deal(people: People) -> bool:
    staging = people.staging
    if len(staging.deals) > 1:
        return False
    staging.deals.append(staging.harness.seller_creates(Name=f"Of the sandbox {next(people.numbers)}"))
    return True


def _edits_a_deal(people: People) -> bool:
    staging = people.staging
    if not staging.deals:
        return False
    staging.harness.seller_edits(people.chance.choice(staging.deals), Amount=people.amount())
    return True


def _copies_a_deal(people: People) -> bool:
    """A deal of production is copied into the sandbox, with its tick and the id of its referral."""
    salesforce = people.staging.harness.salesforce
    known = {one[IDENTIFIER] for one in salesforce.records("Opportunity")}
    linked = [one for one in people.opportunities() if one[IDENTIFIER] and one[IDENTIFIER] not in known]
    if not linked:
        return False
    record = people.chance.choice(linked)
    copied = {name: record[name] for name in ("Name", "StageName", "CloseDate", "Amount", TICK, IDENTIFIER)}
    try:
        people.staging.harness.seller_creates(**copied)
    except ApiError:  # the deal is closed without what a rule demands
        return False
    return True


def _runs(people: People) -> bool:
    """The staging app runs, and colleagues may see what it made."""
    worker = people.staging.harness.new_instance()
    worker.push(0.0)
    worker.sweep(0.0)
    keep_referrals(people)
    return True


STAGING_MOVES = (
    Move("tester adds a deal in the sandbox", 25, _adds_a_deal, "", STAGING),
    Move("tester edits a deal in the sandbox", 15, _edits_a_deal, "", STAGING),
    Move("a deal is copied into the sandbox", 15, _copies_a_deal, "", STAGING),
    Move("the staging app runs", 40, _runs, "", STAGING),
)


def run_staging(people: People) -> None:
    """The staging app runs once in each round of a calm, too."""
    if people.staging is not None:
        _runs(people)


# --- what is judged


def keep_referrals(people: People) -> None:
    """Note the referrals of the sandbox as they are now: production must leave them alone."""
    for record in _tagged(people):
        people.foreign[record["id"]] = dict(record)


def _tagged(people: People) -> list[Any]:
    referrals = people.harness.partner_center.referrals()
    return [one for one in referrals if str(one["externalReferenceId"]).startswith(f"{TAG}:")]


def judge_staging(people: People) -> Iterator[str]:
    """What the staging app did to others, and each of its own deals that is not in step."""
    if people.staging is None:
        return
    yield from dict.fromkeys(people.staging.findings)
    for deal in people.staging.deals:
        mine = [one for one in _tagged(people) if one["externalReferenceId"] == f"{TAG}:{deal}"]
        ours = of_opportunity(people.staging.harness.opportunity(deal))["money"]
        theirs = [of_referral(one)["money"] for one in mine]
        if theirs != [ours]:
            yield f"staging: {deal} of the sandbox has {ours}, and its referrals have {theirs}"
