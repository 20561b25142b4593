"""Microsoft's news in an org that lacks their columns, or hides them (docs/protocol.md#news-from-microsoft)."""

import pytest

from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.heard_deals import CRM, NOTES, SELLER, STATUS, accept, hear, heard_deal, shown_news
from tests.unit.sync.inbound_deals import assert_quiet

NEWS = ("Accepted", "7-1", "Microsoft Seller", "We meet on Monday.")


@pytest.mark.parametrize("lacking", [(STATUS,), (CRM, NOTES), (STATUS, CRM, SELLER, NOTES, "Microsoft_Answer_By__c")])
@pytest.mark.parametrize("right", ["hidden", "read_only"])
def test_news_that_had_no_column_are_shown_once_the_org_has_it(
    harness: Harness, lacking: tuple[str, ...], right: str
) -> None:
    restrict_known_columns(harness, **{right: [f"Opportunity.{column}" for column in lacking]})
    deal = heard_deal(harness)
    accept(harness, deal, notes="We meet on Monday.")
    hear(harness, deal)
    harness.push_until_quiet()
    assert_quiet(harness)
    restrict_known_columns(harness)
    harness.seller_edits(deal, Amount=12_000)
    harness.push(HOUR)
    assert shown_news(harness, deal) == NEWS
    assert harness.count_in_audit(deal, "Microsoft has accepted this deal") == 1
    assert harness.count_in_audit(deal, "see Microsoft Notes") == 1
    harness.push_until_quiet()
    assert_quiet(harness)
