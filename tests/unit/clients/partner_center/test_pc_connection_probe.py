"""One list call for the doctor: what header, body and token state about MFA, account, tenant and clock."""

import base64
import json
from datetime import UTC, datetime

import httpx
import pytest

from shared.clients.partner_center.connection_probe import read_probe, token_claims
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Unreadable

REFERRALS = [{"id": "one", "team": []}]


def unsigned_token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"head.{middle}.signature"


def list_reply(headers: dict[str, str] | None = None, **more: object) -> Reply:
    return Reply(200, httpx.Headers(headers or {}), json.dumps({"value": REFERRALS, **more}).encode())


@pytest.mark.parametrize(
    ("answer", "claims", "compliant"),
    [
        (list_reply({"isMfaCompliant": "true"}), {}, True),
        (list_reply({"ISMFACOMPLIANT": "False"}), {"amr": ["mfa"]}, False),
        (list_reply(isMfaCompliant=True), {}, True),
        (list_reply(IsMfaCompliant="false"), {}, False),
        (list_reply(), {"amr": ["pwd", "mfa"]}, True),
        (list_reply(), {"amr": ["pwd"]}, False),
        (list_reply(), {"amr": "mfa"}, None),
        (list_reply(), {}, None),
    ],
)
def test_mfa_is_read_from_header_body_or_token(
    answer: Reply, claims: dict[str, object], compliant: bool | None
) -> None:
    assert read_probe(answer, unsigned_token(**claims)).mfa is compliant


@pytest.mark.parametrize("name", ["upn", "unique_name", "preferred_username"])
def test_the_account_is_read_from_several_claims(name: str) -> None:
    probe = read_probe(list_reply(), unsigned_token(tid="a tenant", **{name: "robot@contoso.example"}))
    assert (probe.tenant, probe.account) == ("a tenant", "robot@contoso.example")
    assert "contoso" not in repr(probe)


@pytest.mark.parametrize("opaque", ["", "opaque", "a.b.c", "a.!!.c", f"a.{'W10'}.c", unsigned_token()[:-4], "a.gA.c"])
def test_an_opaque_token_has_no_claims(opaque: str) -> None:
    assert token_claims(opaque) == {}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sun, 22 Nov 2026 10:00:00 GMT", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 10:00:00 -0000", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_the_servers_time_is_read_from_the_date_header(date: str, moment: datetime | None) -> None:
    assert read_probe(list_reply({"Date": date}), unsigned_token()).at == moment


def test_without_a_date_header_the_time_is_unknown() -> None:
    assert read_probe(list_reply(), unsigned_token()).at is None


def test_an_answer_that_is_not_a_list_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        read_probe(Reply(200, httpx.Headers(), b"<html>"), unsigned_token())
