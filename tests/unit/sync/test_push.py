from tests.unit.sync.bench import Bench


def test_a_flagged_opportunity_becomes_one_referral(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.push()
    referral, row = bench.referral_of(deal), bench.row(deal)
    assert row["Referral_Identifier__c"] == referral["id"]
    assert row["Referral_Link__c"] == f"https://partner.microsoft.com/referrals/v2/inbox?id={referral['id']}"
    assert row["Sync_Status__c"] == "Synced"
    assert bench.audit(deal)
    assert len(bench.referrals()) == 1
