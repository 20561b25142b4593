"""One list call for the doctor: what header, body and token may say of MFA, account, tenant and clock."""

import base64
import json
from datetime import UTC, datetime

import httpx
import pytest

from shared.clients.partner_center.connection_probe import read_probe, token_claims
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.json_bodies import Unreadable

REFERRALS = [{"id": "one", "team": []}]


def token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"head.{middle}.signature"


def reply(headers: dict[str, str] | None = None, **more: object) -> Reply:
    return Reply(200, httpx.Headers(headers or {}), json.dumps({"value": REFERRALS, **more}).encode())


@pytest.mark.parametrize(
    ("answer", "claims", "compliant"),
    [
        (reply({"isMfaCompliant": "true"}), {}, True),
        (reply({"ISMFACOMPLIANT": "False"}), {"amr": ["mfa"]}, False),
        (reply(isMfaCompliant=True), {}, True),
        (reply(IsMfaCompliant="false"), {}, False),
        (reply(), {"amr": ["pwd", "mfa"]}, True),
        (reply(), {"amr": ["pwd"]}, False),
        (reply(), {"amr": "mfa"}, None),
        (reply(), {}, None),
    ],
)
def test_mfa_is_read_wherever_it_is_told(answer: Reply, claims: dict[str, object], compliant: bool | None) -> None:
    assert read_probe(answer, token(**claims)).mfa is compliant


@pytest.mark.parametrize("name", ["upn", "unique_name", "preferred_username"])
def test_the_account_has_several_names(name: str) -> None:
    probe = read_probe(reply(), token(tid="a tenant", **{name: "robot@contoso.example"}))
    assert (probe.tenant, probe.account) == ("a tenant", "robot@contoso.example")
    assert "contoso" not in repr(probe)


@pytest.mark.parametrize("opaque", ["", "opaque", "a.b.c", "a.!!.c", f"a.{'W10'}.c", token()[:-4], "a.gA.c"])
def test_an_opaque_token_says_nothing(opaque: str) -> None:
    assert token_claims(opaque) == {}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sun, 22 Nov 2026 10:00:00 GMT", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 10:00:00 -0000", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_the_time_over_there_is_read_where_it_is_told(date: str, moment: datetime | None) -> None:
    assert read_probe(reply({"Date": date}), token()).at == moment


def test_without_a_date_nothing_is_said_of_the_time() -> None:
    assert read_probe(reply(), token()).at is None


def test_an_answer_that_is_no_list_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        read_probe(Reply(200, httpx.Headers(), b"<html>"), token())
