"""Generated bodies and answers: bodies round trip, and every answer becomes an error of our own."""

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clients.exact_json import json_bytes
from shared.clients.partner_center.error_mapping import CallLabel, Reply, error_of_reply
from shared.clients.partner_center.json_bodies import fold_names, parse_body
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


@given(value=JSON)
def test_a_written_body_reads_back_the_same(value: object) -> None:
    assert parse_body(json_bytes(value)) == fold_names(value)


@given(value=JSON)
def test_folding_twice_changes_nothing_more(value: object) -> None:
    assert fold_names(fold_names(value)) == fold_names(value)


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
