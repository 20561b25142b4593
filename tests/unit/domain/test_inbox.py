"""What people read about a deal that cannot be made."""

from copy import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Status
from shared.domain.inbox import InboxItem, item_of_deleted, item_of_opportunity, item_of_referral
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.mapping.inbox_record import COLUMNS, inbox_values

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
CAUSE = Cause("DUPLICATES_DETECTED", "Name", "Use one of these records?", "Use it.", matches=("001A", "001B"))
DEAL = Deal(name="Robots", account=Company("Fabrikam", "DK"), money=Money(Decimal("1000000.00"), "JPY"))
REFERRAL = Referral("r1", "e", DEAL, NOW, Status("New", "Pending"), created=NOW)


def item(**changes: object) -> InboxItem:
    return InboxItem(
        **{"opportunity_id": None, "referral_id": "r1", "name": "Robots", "customer": None, "money": None}
        | {"cause": CAUSE, "link": "https://partner.example"}
        | changes  # type: ignore[arg-type]  # the tests pass what the fields take
    )


def test_a_referral_is_answered_within_14_days_unless_it_names_its_end() -> None:
    assert item_of_referral(REFERRAL, CAUSE, "").answer_by == NOW + timedelta(days=14)
    ends = Referral("r1", "e", DEAL, NOW, Status("New", "Pending"), created=NOW, expires=NOW + timedelta(days=2))
    assert item_of_referral(ends, CAUSE, "").answer_by == NOW + timedelta(days=2)
    active = Referral("r1", "e", DEAL, NOW, Status("Active", "Accepted"), created=NOW, expires=NOW)
    assert item_of_referral(active, CAUSE, "").answer_by is None


def test_a_lead_ends_when_it_says_so_and_not_after_14_days() -> None:
    lead = replace(REFERRAL, is_lead=True)
    assert item_of_referral(lead, CAUSE, "").answer_by is None
    assert item_of_referral(replace(lead, expires=NOW, status=None), CAUSE, "").answer_by == NOW


def test_a_deleted_opportunity_is_named_with_its_referral_and_what_its_link_knows() -> None:
    found = item_of_deleted(Link("006A", referral_id="r1", base=DEAL), CAUSE, "https://partner.example")
    assert (found.opportunity_id, found.referral_id, found.name) == ("006A", "r1", "Robots")
    assert item_of_deleted(Link("006A", base=Deal()), CAUSE, "").name is None


def test_the_key_is_the_opportunity_where_there_is_one() -> None:
    opportunity = Opportunity("006A", DEAL, flagged=True, modified=NOW)
    shown = item_of_opportunity(
        opportunity, Link("006A", referral_id="r1"), CAUSE, "https://acme.my.salesforce.com/006A"
    )
    assert (shown.key, shown.referral_id, shown.customer) == ("006A", "r1", "Fabrikam")
    assert item_of_referral(REFERRAL, CAUSE, "").key == "r1"


def test_the_fingerprint_tells_every_value_that_people_read_and_holds_none() -> None:
    others = [
        item(opportunity_id="006A"), item(name="Other"), item(customer="Fabrikam"), item(link="https://x.example"),
        item(money=Money(Decimal(1), "EUR")), item(answer_by=NOW), item(cause=Cause("C", None, "r", "m")),
        item(cause=Cause(CAUSE.code, CAUSE.field, CAUSE.reason, CAUSE.remedy, matches=("001A",))),
    ]  # fmt: skip
    assert len({one.fingerprint for one in (item(), *others)}) == len(others) + 1
    assert item().fingerprint == item().fingerprint
    assert item(name="half \ud83d").fingerprint


def test_a_record_has_a_value_for_every_column() -> None:
    values = inbox_values(item_of_referral(REFERRAL, CAUSE, "https://partner.example"))
    assert set(values) == set(COLUMNS)
    assert (values["Deal_Value__c"], values["Deal_Currency__c"]) == (Decimal("1000000.00"), "JPY")
    assert (values["Matches__c"], values["Answer_By__c"]) == ("001A, 001B", "2026-12-15T10:00:00+00:00")


def test_a_text_that_is_too_long_is_cut_and_a_deal_without_a_name_shows_its_key() -> None:
    long = Cause("c" * 200, "f" * 300, "r" * 5000, "m" * 5000, matches=tuple(f"{n:018}" for n in range(500)))
    values = inbox_values(item(name="n" * 100, customer="c" * 300, cause=long))
    assert {name: len(values[name]) for name in ("Name", "Customer__c", "Code__c", "Refused_Field__c", "Cause__c")} == {
        "Name": 80, "Customer__c": 255, "Code__c": 100, "Refused_Field__c": 255, "Cause__c": 4000,
    }  # fmt: skip
    assert len(values["Matches__c"]) <= 4000
    assert values["Matches__c"].split(", ")[-1] == f"{199:018}"
    assert inbox_values(item(name=None))["Name"] == "r1"
