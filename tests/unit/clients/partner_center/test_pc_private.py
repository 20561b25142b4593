"""Outside production no request leaves that shows a deal to Microsoft or asks it for help, even if a plan is wrong."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from shared.clients.partner_center.referrals import PrivateReferrals, Referrals, open_referrals
from shared.foundation.errors import Rejected
from tests.over_httpx import OverHttpx
from tests.unit.clients.partner_center.conftest import BASE
from tests.unit.clients.partner_center.scripted_service import Answer, ScriptedService

VISIBILITY = "consentToShareReferralWithMicrosoftSellers"
VISIBLE = f"/consent/{VISIBILITY}"
ID, ETAG = "0a5f0000-1111-2222-3333-444455556666", '"1"'


@pytest.fixture
def private(service: ScriptedService) -> Iterator[PrivateReferrals]:
    with httpx.Client(transport=httpx.MockTransport(service)) as client:
        yield PrivateReferrals(BASE, service.token, service=OverHttpx(client))


@pytest.mark.parametrize(
    "body",
    [
        {"consent": {VISIBILITY: True}},
        {"consent": {VISIBILITY: "true"}},
        {"target": [{"type": "MicrosoftOrganization", "id": "msft"}]},
        {"target": [{"type": "MicrosoftOrganization", "id": "MSFT"}]},
        {"target": ["msft"]},
        {"type": "Shared"},
    ],
)
def test_a_create_that_shares_a_deal_is_not_sent(
    private: PrivateReferrals, service: ScriptedService, body: dict[str, Any]
) -> None:
    with pytest.raises(Rejected) as caught:
        private.create(body)
    assert (caught.value.cause.code, service.requests) == ("not_from_staging", [])


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": VISIBLE, "value": True},
        {"op": "add", "path": VISIBLE.upper(), "value": True},
        {"op": "replace", "path": "/consent", "value": {VISIBILITY: True}},
        {"op": "add", "path": "/target/-", "value": {"id": "msft"}},
        {"op": "replace", "path": "", "value": {}},
    ],
)
def test_a_patch_that_shares_a_deal_is_not_sent(
    private: PrivateReferrals, service: ScriptedService, operation: dict[str, Any]
) -> None:
    with pytest.raises(Rejected):
        private.patch(ID, [{"op": "replace", "path": "/name", "value": "A"}, operation], ETAG)
    assert service.requests == []


def test_every_other_write_is_sent(private: PrivateReferrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(json={"id": ID, "eTag": ETAG}))
    private.create({"consent": {VISIBILITY: False}, "type": "Independent", "target": []})
    private.create({"consent": {"consentToContact": True}})
    private.patch(ID, [{"op": "replace", "path": "/name", "value": "A"}], ETAG)
    private.patch(ID, [{"op": "replace", "path": VISIBLE, "value": False}], ETAG)
    assert service.methods == ["POST", "POST", "PATCH", "PATCH"]


def test_only_a_client_that_may_share_is_unguarded() -> None:
    for may_share, kind in ((True, Referrals), (False, PrivateReferrals)):
        with closing(open_referrals(BASE, lambda _: "token", may_share=may_share)) as client:
            assert type(client) is kind
