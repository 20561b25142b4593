"""What the log says of each write: the deal, the run, and the fields by name (docs/events.md)."""

from collections.abc import Mapping

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_SETTLE_TIME, RESTED, Harness


def logged(harness: Harness, event: str, deal: str) -> Mapping[str, object]:
    """The fields of the only event with a name, without the ids, which are checked: the run's are those of its end."""
    (fields,) = harness.first.log.fields_of(event)
    referral = harness.referral_of(deal)["id"]
    done = [one["correlation_id"] for name, one in harness.first.log.events if name in ("push_done", "sweep_done")]
    assert (fields["opportunity_id"], fields["referral_id"]) == (deal, referral)
    assert fields["correlation_id"] in done
    return {name: value for name, value in fields.items() if not name.endswith("_id")}


def test_each_write_of_a_deal_is_logged_with_its_fields(harness: Harness) -> None:
    deal = harness.shared_deal()
    assert logged(harness, "referral_created", deal) == {}
    harness.seller_edits(deal, Amount=11000)
    harness.advance_time(RESTED)
    harness.push()
    assert logged(harness, "referral_patched", deal) == {"fields": ["money"]}
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="A colleague was here.")
    harness.sweep()
    assert logged(harness, "opportunity_written", deal) == {"fields": ["notes"]}
    harness.seller_edits(deal, Amount=-5)
    harness.push()
    parked = logged(harness, "pair_parked", deal)
    assert (parked["code"], parked["field"]) == ("invalidRequest", "details/dealValue")


def test_a_referral_that_an_earlier_run_made_is_logged_as_adopted(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.push(after=AFTER_SETTLE_TIME)
    assert harness.first.log.fields_of("referral_created") == []
    assert logged(harness, "referral_adopted", deal) == {}
