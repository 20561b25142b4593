"""The build before works the entries that a burst of events has left, since a rollback meets them.

Its own engine and emulators run in a process of their own (docs/protocol.md#rows-of-other-builds).
"""

import json
import subprocess
import sys
from pathlib import Path

from shared.store.stored_values import EVENT
from tests.earlier_builds import BUILD_BEFORE, unpacked_build

STAMINA = """
from contextlib import nullcontext

def retry_context(on, attempts, timeout):
    return [nullcontext()]
"""
"""Stands in for a package that the build before needs and this one does not install. One try serves: no call fails."""
WORK = """
import json, sys
import shared
from shared.domain.deal import Side
from shared.store.stored_values import RetryEntry
from tests.unit.sync.harness import Harness
with Harness() as harness:
    changed, echo = harness.shared_deal(), harness.shared_deal()
    keys = [harness.referral_of(deal)["id"] for deal in (changed, echo)]
    harness.push_until_quiet()
    harness.colleague_edits(keys[0], details_dealValue=777)
    for key in keys:
        harness.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, key, harness.now(), sys.argv[1]))
    harness.forget_calls()
    harness.push()
    reads, late = harness.new_calls()["partner_center.get"], harness.first.log.fields_of("unsynced")[-1]["count"]
    left, amount = len(harness.retry_entries(Side.PARTNER_CENTER)), harness.opportunity(changed)["Amount"]
print(json.dumps({"code": shared.__file__, "amount": amount, "left": left, "reads": reads, "late": late}))
"""


def test_the_build_before_works_the_entries_of_a_burst(tmp_path: Path) -> None:
    unpacked_build(BUILD_BEFORE, tmp_path, "shared", "tests", "emulators", "local", "infra", "mapping")
    (tmp_path / "stamina.py").write_text(STAMINA, "utf-8")
    words = [sys.executable, "-c", WORK, EVENT]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Path(told.pop("code")).is_relative_to(tmp_path), "the code of the build before ran"
    assert told == {"amount": 777, "left": 0, "reads": 2, "late": 0}
