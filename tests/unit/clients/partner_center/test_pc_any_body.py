"""Generated bodies and answers: bodies round trip, and every answer becomes an error of our own."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clients.exact_json import json_bytes
from shared.clients.partner_center.error_mapping import CallLabel, Reply, error_of_reply
from shared.clients.partner_center.json_bodies import parse_body
from shared.foundation.errors import Ambiguous, CosellError, Retryable

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def with_folded_names(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The rule of `json_bodies`, in its plainest form: of a name in both cases, the one in camelCase wins."""
    if isinstance(value, list):
        return [with_folded_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    in_order = sorted(value.items(), key=lambda item: not item[0][:1].isupper())
    fold = {name: name[:1].lower() + name[1:] if name[:1].isupper() else name for name in value}
    return {fold[name]: with_folded_names(item) for name, item in in_order}


@given(value=JSON)
def test_a_written_body_reads_back_the_same_with_folded_names(value: object) -> None:
    body = json_bytes(value)
    assert parse_body(body) == with_folded_names(value)
    for encoding in ("utf-8-sig", "utf-16", "utf-32-be"):
        assert parse_body(body.decode().encode(encoding)) == parse_body(body)


@given(value=JSON)
def test_folding_twice_changes_nothing_more(value: object) -> None:
    once = parse_body(json_bytes(value))
    assert parse_body(json_bytes(once)) == once


@pytest.mark.parametrize(
    "body", [b'{"Id": 1, "id": 2}', b'{"id": 2, "Id": 1}', b'{"Id": 0, "id": 1, "Id": 1, "id": 2}']
)
def test_of_a_name_in_both_cases_the_one_in_camel_case_wins(body: bytes) -> None:
    assert parse_body(body) == {"id": 2}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    status=st.integers(201, 599),
    body=st.binary(max_size=40) | JSON.map(lambda value: json_bytes({"error": value})) | JSON.map(json_bytes),
    method=st.sampled_from(["GET", "POST", "PATCH"]),
)
def test_every_answer_becomes_an_error_of_our_own(status: int, body: bytes, method: str) -> None:
    error = error_of_reply(Reply(status, httpx.Headers(), body), CallLabel(method, "referrals"))

    assert isinstance(error, CosellError)
    if method == "GET":
        assert not isinstance(error, Ambiguous)
    elif status >= 500:
        assert isinstance(error, Ambiguous)
    if isinstance(error, Retryable):
        assert error.after is None or error.after >= 0
