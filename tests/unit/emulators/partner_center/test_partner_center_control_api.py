"""The control API does what tests can do directly, and one command starts the emulators."""

import json
import os
import re
import ssl
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response
from emulators.partner_center import control_api
from emulators.partner_center.certificate_host import INTERMEDIATE_PATH
from emulators.partner_center.emulator import ANOTHER, BASE, PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFaultKind
from emulators.partner_center.referral_shape import Json
from emulators.partner_center.serve import serve_partner_center
from emulators.partner_center.switches import Switches
from tests.unit.emulators.partner_center.referral_client import ReferralClient

ROOT = Path(__file__).parents[4]


def call_control(emulator: PartnerCenterEmulator, method: str, path: str, body: object = None) -> Response:
    raw = b"" if body is None else json.dumps(body).encode()
    return emulator.handle(Request.of(method, f"/_control/{path}", {}, raw))


def test_the_other_parties_act_by_control_calls(emulator: PartnerCenterEmulator) -> None:
    inbound = call_control(emulator, "POST", "microsoft-sends", {"name": "Big deal"}).json()["id"]
    engagement = emulator.referral(inbound)["engagementId"]
    edit = [{"op": "replace", "path": "/name", "value": "Bigger deal"}]

    assert (
        call_control(emulator, "POST", "portal-edits", {"referral_id": inbound, "operations": edit}).json()["name"]
        == "Bigger deal"
    )
    assert (
        call_control(emulator, "POST", "microsoft-accepts", {"engagement_id": engagement}).json()["status"] == "Active"
    )
    assert (
        call_control(emulator, "POST", "microsoft-closes", {"engagement_id": engagement}).json()["substatus"] == "Won"
    )
    raw = {"referral_id": inbound, "set": {"/quality": "High"}, "remove": ["/tags"]}
    assert call_control(emulator, "POST", "raw", raw).json()["quality"] == "High"
    assert call_control(emulator, "GET", f"referrals/{inbound}").json()["name"] == "Bigger deal"
    assert call_control(emulator, "POST", "portal-creates", {}).status == 200
    assert call_control(emulator, "POST", "populate", {"count": 4}).status == 200
    assert len(call_control(emulator, "GET", "referrals").json()) == 7


def test_both_sides_of_a_co_sell_deal_act_by_control_calls(emulator: PartnerCenterEmulator) -> None:
    ours = call_control(emulator, "POST", "portal-creates", {}).json()["id"]
    engagement = {"engagement_id": emulator.referral(ours)["engagementId"]}
    seller = {"firstName": "Account", "lastName": "Manager", "phoneNumber": "+1", "email": "am@microsoft.example"}
    stage = {**engagement, "operations": [{"op": "replace", "path": "/salesStage", "value": "40"}]}

    def control(path: str, **body: object) -> Json:
        response = call_control(emulator, "POST", path, body)
        assert response.status == 200, response.body
        return dict(response.json())

    theirs = control("portal-asks-for-help", referral_id=ours, code="QuotesOrLicensing", notes="Which licence?")
    assert control("microsoft-receives", **engagement)["substatus"] == "Received"
    assert control("microsoft-accepts", **engagement, msx_id="7-A", notes="Soon")["details"]["notes"] == "Soon"
    assert control("microsoft-adds-news", **engagement, seller=seller)["team"][-1]["lastName"] == "Manager"
    assert control("partner-joins", **engagement, name="Their part")["name"] == "Their part"
    assert control("partner-edits", **stage)["salesStage"] == control("microsoft-edits", **stage)["salesStage"] == "40"
    assert control("microsoft-closes", **engagement, substatus="Lost", reason="Others")["statusReason"] == "Others"
    shown = call_control(emulator, "GET", f"engagements/{engagement['engagement_id']}").json()
    assert [record["organizationId"] for record in shown] == [emulator.organization.id, "msft", ANOTHER.id]
    assert shown[1]["id"] == theirs["id"]
    assert call_control(emulator, "GET", "engagements").json() == {engagement["engagement_id"]: shown}
    assert call_control(emulator, "POST", "microsoft-accepts", engagement).status == 400
    inbound = control("microsoft-sends")["id"]
    assert control("expire", referral_id=inbound)["substatus"] == "Expired"
    assert control("send-event", event="related-referral-updated", referral_id=inbound) == {"ok": True}


def test_control_calls_change_switches_and_faults_and_show_deliveries(
    emulator: PartnerCenterEmulator, client: ReferralClient
) -> None:
    assert (
        call_control(emulator, "POST", "switches", {"page_size": 5, "list_lag": 2, "extra_paths": ["/name"]}).status
        == 200
    )
    assert call_control(emulator, "GET", "switches").json()["page_size"] == 5
    assert emulator.switches.extra_paths == ("/name",)
    assert call_control(emulator, "POST", "trouble", {"name": "throttled", "retry_after": 3, "times": 2}).status == 200
    assert [client.list().status for _ in range(3)] == [429, 429, 200]

    assert (
        call_control(
            emulator, "POST", "register-events", {"url": "https://localhost:1/", "events": ["referral-created"]}
        ).status
        == 200
    )
    assert call_control(emulator, "POST", "event-faults", {"kind": "lose", "times": 1}).status == 200
    client.try_create()
    answer = call_control(emulator, "GET", "deliveries").json()
    assert (answer["idle"], [d["outcome"] for d in answer["deliveries"]]) == (True, ["lost"])
    assert call_control(emulator, "DELETE", "deliveries").status == 200
    assert emulator.dispatcher.journal == []
    assert "BEGIN CERTIFICATE" in call_control(emulator, "GET", "root").json()["pem"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"nonsense": 1}),
        ("switches", {"page_size": "many"}),
        ("switches", {"related_get": "perhaps"}),
        ("switches", {"next_link": "even"}),
        ("faults", {"kind": "drop", "sent": "("}),
        ("send-event", {"event": "test-created", "referral_id": "x"}),
        ("expire", {}),
        ("partner-joins", {}),
        ("portal-asks-for-help", {"referral_id": "x", "colour": "red"}),
        ("trouble", {"name": "earthquake"}),
        ("event-faults", {"kind": "nonsense"}),
        ("event-faults", {"kind": "lose", "colour": "red"}),
        ("register-events", {"url": "x", "events": ["referral-vanished"]}),
        ("register-events", {}),
        ("microsoft-sends", {"details": {"dealValue": "much"}}),
        ("portal-edits", {"referral_id": "x"}),
        ("microsoft-accepts", {}),
    ],
)
def test_an_invalid_control_body_is_a_400(emulator: PartnerCenterEmulator, path: str, body: object) -> None:
    assert call_control(emulator, "POST", path, body).status == 400


def test_the_page_in_docs_names_every_control_route_switch_and_event_fault() -> None:
    page = (ROOT / "docs" / "reference" / "emulator-of-partner-center.md").read_text()
    names = [path for _, path in control_api._ROUTES] + [f.name for f in fields(Switches)] + list(EventFaultKind)
    assert [name for name in names if name not in page] == []


def test_an_unknown_route_or_referral_is_a_404(emulator: PartnerCenterEmulator) -> None:
    assert call_control(emulator, "POST", "nonsense", {}).status == 404
    assert call_control(emulator, "GET", "referrals/unknown").status == 404


def test_the_three_emulators_are_served_together_over_tls(authority: Authority) -> None:
    with (
        serve_partner_center(authority, seed=1) as served,
        httpx.Client(verify=authority.client_context(), trust_env=False, timeout=60) as client,
    ):
        token = served.entra.issue_access_token()
        listed = client.get(f"{served.url}{BASE}", headers={"Authorization": f"Bearer {token}"})
        assert (listed.status_code, listed.json()["value"]) == (200, [])
        assert client.get(served.certificates.leaf_url).status_code == 200
        assert len({served.url, served.entra_url, served.certificates_url, served.issuers_url}) == 4
        assert client.get(served.issuers_url + INTERMEDIATE_PATH).status_code == 200


def test_one_command_starts_the_emulators(tmp_path: Path) -> None:
    options = ["--port", "0", "--populate", "2", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "emulators", "partner-center", *options]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environ) as process:  # noqa: S603 - the command is our own
        try:
            assert process.stdout is not None
            printed = [process.stdout.readline() for _ in range(8)]
            url = re.split(r"\s{2,}", printed[0].strip())[1]
            trust = ssl.create_default_context(cafile=tmp_path / "ca-bundle.pem")
            assert httpx.get(url, verify=trust, trust_env=False, timeout=60).status_code == 401
        finally:
            process.terminate()


def test_a_raw_write_can_change_the_owner_of_a_referral(emulator: PartnerCenterEmulator) -> None:
    sent = call_control(emulator, "POST", "microsoft-sends", {}).json()["id"]
    answer = call_control(emulator, "POST", "raw", {"referral_id": sent, "set": {"/organizationId": "somebody else"}})
    assert (answer.status, answer.json()["organizationId"]) == (200, "somebody else")
