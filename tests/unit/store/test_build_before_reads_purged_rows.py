"""The build before reads the row of a purged deal, and takes no erased value for one that somebody emptied."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain.erasure import erased_line, purged_link
from shared.domain.link_states import State
from shared.operations.erase_deal import erase_in_deal
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from tests.earlier_builds import BUILD_BEFORE, unpacked_build
from tests.unit.store.representative_store import PARTS, whole_link

DEAL = "006AA00000000010"
PLAN = """
import json, sys
from datetime import UTC, date, datetime
from decimal import Decimal
from shared.domain.deal import Company, Deal, Money, Person, Status
from shared.domain.plan import plan_pair
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.translation import Translation
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
at, status = datetime(2026, 11, 22, 10, tzinfo=UTC), Status("Closed", "Lost")
people = (Person("Lee", "Ann", "ann@northwind.example", "+12065550100", "CFO"),)
held = Deal(name="Robots", notes="Ann is away", money=Money(Decimal("120000.50"), "USD"), closing=date(2026, 12, 31),
            status=status, account=Company("Northwind", "US"), contacts=people, team=people, solutions=("SOL-1",))
with SqliteRows(sys.argv[1]) as rows:
    store = LinkStore(rows)
    link, texts = store.link(sys.argv[2]).value, [line.text for line in store.audit(sys.argv[2])]
opportunity = Opportunity(link.opportunity_id, held, True, at, referral_id="r-linked")
referral = Referral("r-linked", "1", held, at, status)
plan = plan_pair(link, opportunity, referral, Translation(ReferralConstants("1234567")).rules, at, Policy())
writes = (*plan.to_partner_center, *plan.to_salesforce)
erased = sum("value erased" in text for text in texts)
code = sys.modules["shared"].__file__
print(json.dumps({"code": code, "state": link.state, "writes": [one.field for one in writes], "erased": erased}))
"""


@pytest.mark.slow
def test_the_build_before_writes_no_emptiness_of_a_purged_deal(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with SqliteRows(path) as rows:
        store = LinkStore(rows)
        entry = store.insert_link(whole_link(DEAL, State.LIVE), PARTS[0])
        erase_in_deal(store, entry, purged_link(entry.value), erased_line, is_purge=True)
        known = len([line for line in store.audit(DEAL) if "value erased" in line.text])
    folder = unpacked_build(BUILD_BEFORE, tmp_path / "build", "shared")
    words = [sys.executable, "-c", PLAN, str(path), DEAL]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert Path(read.pop("code")).is_relative_to(folder), "the code of the build before ran"
    assert 30 < read.pop("erased") <= known, "but for the sentences that it does not know"
    assert read == {"state": "closed", "writes": []}
