"""The app runs on an org with an earlier Salesforce package, and health, doctor and log say what that package lacks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.app import reset
from shared.clients.salesforce import org_shape
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from shared.doctor.run_checks import run_checks
from shared.mapping.validation import load_mapping
from tests.e2e.world import WAIT_SECONDS, LogEvents, World
from tests.earlier_builds import FIRST_BUILD, LACKS, unpacked_build
from tests.unit.sync.inbound_deals import DETAILS

on_the_first_build = pytest.mark.parametrize("earlier", [FIRST_BUILD], indirect=True)
MISSING = list(LACKS[FIRST_BUILD][0])


@pytest.fixture(params=LACKS)
def earlier(world: World, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world with the package of an earlier build, and with the mapping file that this build had, as a whole one."""
    build = unpacked_build(request.param, tmp_path, "infra/salesforce", "shared/mapping/default.toml")
    salesforce, own = world.systems.salesforce, world.systems.salesforce.metadata
    with pytest.MonkeyPatch.context() as during:
        during.setenv("MAPPING", str(build / "shared/mapping/default.toml"))
        salesforce.metadata = build / "infra" / "salesforce"
        world.systems.reset()
        reset()
        yield world
    salesforce.metadata = own
    world.systems.reset()


def health_of(world: World) -> object:
    answer = world.client.get("/api/health", headers={"x-functions-key": world.host.keys.function})
    return answer.json()["package"]


@on_the_first_build
def test_deals_go_out_and_in_and_what_is_missing_is_said_once(
    earlier: World, log_events: LogEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(org_shape, "ASK_AGAIN", org_shape.ASK_AGAIN * 0)
    deal = earlier.seller_creates(Amount=5_000)
    referral = earlier.systems.partner_center.microsoft_sends(details=DETAILS)
    earlier.systems.partner_center.raw_patch(referral, {"/details/closingDateTime": None})
    assert earlier.post_event(*earlier.systems.partner_center.signed_event(referral)).status_code == 202
    earlier.host.wait_idle(WAIT_SECONDS)
    for _ in range(3):
        earlier.host.run_now("push_opportunities")

    out = earlier.systems.salesforce.record("Opportunity", deal)
    sent = earlier.systems.partner_center.referral(out["Referral_Identifier__c"])
    assert (sent["details"]["dealValue"], out["Sync_Status__c"]) == (5_000, "Synced")
    arrived = earlier.opportunities_by_referral()[referral]
    assert "The referral has no closing date." in arrived["Audit__c"]
    assert health_of(earlier) == {"version": None, "missing": MISSING}
    assert [(event["package"], event["missing"]) for event in log_events.events_named("package_differs")] == [
        (None, MISSING)
    ]
    assert not log_events.events_named("pair_failed")


@on_the_first_build
def test_the_doctor_says_what_package_and_mapping_file_lack(earlier: World) -> None:
    del earlier
    installation = Installation()
    try:
        verdicts = run_checks(installation)
    finally:
        installation.close()
    assert verdicts["package"].found.startswith("the package in the org has no version")
    assert all(missing in verdicts["custom fields"].found for missing in MISSING)
    assert (verdicts["mapping file"].result, verdicts["mapped fields"].result) == (Result.OK, Result.OK)
    later = load_mapping()[0].fields.keys() - load_mapping(Path(os.environ["MAPPING"]))[0].fields.keys()
    assert "size" in later
    assert verdicts["mapping file"].found.endswith(f"; it lacks {', '.join(sorted(later))}, which the default file has")
