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
from emulators.partner_center.emulator import BASE, PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFaultKind
from emulators.partner_center.serve import serve_partner_center
from emulators.partner_center.switches import Switches
from tests.unit.emulators.partner_center.referral_desk import Desk

ROOT = Path(__file__).parents[4]


def control(pc: PartnerCenterEmulator, method: str, path: str, body: object = None) -> Response:
    raw = b"" if body is None else json.dumps(body).encode()
    return pc.handle(Request.of(method, f"/_control/{path}", {}, raw))


def test_the_other_parties_move_by_control(pc: PartnerCenterEmulator) -> None:
    inbound = control(pc, "POST", "microsoft-sends", {"name": "Big deal"}).json()["id"]
    engagement = pc.referral(inbound)["engagementId"]
    edit = [{"op": "replace", "path": "/name", "value": "Bigger deal"}]

    assert (
        control(pc, "POST", "portal-edits", {"referral_id": inbound, "operations": edit}).json()["name"]
        == "Bigger deal"
    )
    assert control(pc, "POST", "microsoft-accepts", {"engagement_id": engagement}).json()["status"] == "Active"
    assert control(pc, "POST", "microsoft-closes", {"engagement_id": engagement}).json()["substatus"] == "Won"
    raw = {"referral_id": inbound, "set": {"/quality": "High"}, "remove": ["/tags"]}
    assert control(pc, "POST", "raw", raw).json()["quality"] == "High"
    assert control(pc, "GET", f"referrals/{inbound}").json()["name"] == "Bigger deal"
    assert control(pc, "POST", "portal-creates", {}).status == 200
    assert control(pc, "POST", "populate", {"count": 4}).status == 200
    assert len(control(pc, "GET", "referrals").json()) == 7


def test_switches_faults_and_deliveries_by_control(pc: PartnerCenterEmulator, desk: Desk) -> None:
    assert control(pc, "POST", "switches", {"page_size": 5, "list_lag": 2, "extra_paths": ["/name"]}).status == 200
    assert control(pc, "GET", "switches").json()["page_size"] == 5
    assert pc.switches.extra_paths == ("/name",)
    assert control(pc, "POST", "trouble", {"name": "throttled", "retry_after": 3, "times": 2}).status == 200
    assert [desk.list().status for _ in range(3)] == [429, 429, 200]

    assert (
        control(pc, "POST", "register-events", {"url": "https://localhost:1/", "events": ["referral-created"]}).status
        == 200
    )
    assert control(pc, "POST", "event-faults", {"kind": "lose", "times": 1}).status == 200
    desk.create()
    told = control(pc, "GET", "deliveries").json()
    assert (told["idle"], [d["outcome"] for d in told["deliveries"]]) == (True, ["lost"])
    assert control(pc, "DELETE", "deliveries").status == 200
    assert pc.dispatcher.journal == []
    assert "BEGIN CERTIFICATE" in control(pc, "GET", "root").json()["pem"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"nonsense": 1}),
        ("switches", {"page_size": "many"}),
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
def test_a_wrong_control_call_is_a_400(pc: PartnerCenterEmulator, path: str, body: object) -> None:
    assert control(pc, "POST", path, body).status == 400


def test_the_page_in_docs_names_every_control_route_switch_and_event_fault() -> None:
    page = (ROOT / "docs" / "emulators-partner-center.md").read_text()
    names = [path for _, path in control_api._ROUTES] + [f.name for f in fields(Switches)] + list(EventFaultKind)
    assert [name for name in names if name not in page] == []


def test_what_is_not_there_is_a_404(pc: PartnerCenterEmulator) -> None:
    assert control(pc, "POST", "nonsense", {}).status == 404
    assert control(pc, "GET", "referrals/unknown").status == 404


def test_the_three_serve_together_over_tls(authority: Authority) -> None:
    with (
        serve_partner_center(authority, seed=1) as house,
        httpx.Client(verify=authority.client_context(), trust_env=False) as client,
    ):
        token = house.entra.issue_access_token()
        listed = client.get(f"{house.url}{BASE}", headers={"Authorization": f"Bearer {token}"})
        assert (listed.status_code, listed.json()["value"]) == (200, [])
        assert client.get(house.certificates.leaf_url).status_code == 200
        assert len({house.url, house.entra_url, house.certificates_url}) == 3


def test_one_command_starts_them_alone(tmp_path: Path) -> None:
    options = ["--port", "0", "--populate", "2", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "emulators", "partner-center", *options]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environ) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None
            printed = [process.stdout.readline() for _ in range(7)]
            url = re.split(r"\s{2,}", printed[0].strip())[1]
            trust = ssl.create_default_context(cafile=tmp_path / "ca-bundle.pem")
            assert httpx.get(url, verify=trust, trust_env=False).status_code == 401
        finally:
            process.terminate()


def test_a_referral_may_be_given_away_past_every_rule(pc: PartnerCenterEmulator) -> None:
    sent = control(pc, "POST", "microsoft-sends", {}).json()["id"]
    given = control(pc, "POST", "raw", {"referral_id": sent, "set": {"/organizationId": "somebody else"}})
    assert (given.status, given.json()["organizationId"]) == (200, "somebody else")
