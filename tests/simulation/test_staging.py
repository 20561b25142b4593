"""A staging app that forgets its tag is found by what it does to production."""

import pytest

from shared.sync.ports import Policy
from tests.simulation import staging
from tests.simulation.driver import simulate
from tests.simulation.shrink import kind_of
from tests.unit.sync.harness import Harness


def _without_tag(tag: str, policy: Policy) -> Harness:
    del tag
    return Harness(policy=policy)


def test_a_staging_app_without_its_tag_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "Harness", _without_tag)
    findings = simulate(7, also=(staging.STAGING,), only=True).findings
    assert "touched" in map(kind_of, findings)
