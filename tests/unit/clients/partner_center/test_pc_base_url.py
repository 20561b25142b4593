"""Addresses to which the token may be sent."""

from pathlib import Path

import pytest

from shared.clients.partner_center.referrals import BASE_URL, open_referrals
from shared.foundation.errors import ConfigurationError


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.partner.microsoft.com/v1.0/engagements",
        "http://127.0.0.1.evil.example/v1.0/engagements",
        "http://localhost.evil.example/",
        "ftp://localhost/",
        "https://user:secret@partner.example/v1.0/engagements",
        "https://partner.example/v1.0/engagements?a=b#c",
        "https://partner.example/v1.0#fragment",
        "partner.example",
        "https://",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_would_leak_the_token_stops_the_start(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="Example: https") as wrong:
        open_referrals(base_url, lambda _: "token")

    assert "secret" not in str(wrong.value)


@pytest.mark.parametrize("base_url", [BASE_URL, BASE_URL + "/", "http://localhost:8080/v1.0", "http://[::1]:80/v1.0"])
def test_https_and_the_loopback_are_accepted(base_url: str) -> None:
    open_referrals(base_url, lambda _: "token").close()


def test_only_the_given_bundle_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        open_referrals(BASE_URL, lambda _: "token", ca_bundle=tmp_path / "none.pem")
