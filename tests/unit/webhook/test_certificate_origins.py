"""Certificate URLs that are allowed, and settings that stop the start."""

import pytest

from shared.foundation.errors import ConfigurationError
from shared.webhook.certificate_origins import ISSUER_PATH, LEAF_PATH, AllowList, read_origins
from shared.webhook.refusals import Reason, Unverified
from shared.webhook.signature import open_verifier
from tests.unit.webhook.throwaway_chain import CERTIFICATE_URL, HOST

HTTPS = ("https",)


def allow_list(*origins: str) -> AllowList:
    return AllowList(read_origins(origins, setting="s", schemes=HTTPS, in_azure=False), LEAF_PATH)


def refusal_reason(url: str, *origins: str) -> Reason:
    with pytest.raises(Unverified) as refused:
        allow_list(*(origins or (f"https://{HOST}",))).parse_url(url)
    return refused.value.reason


def test_the_documented_url_is_allowed_and_parsed_once() -> None:
    target = allow_list(f"https://{HOST}").parse_url(CERTIFICATE_URL.replace(HOST, HOST.upper()))
    assert str(target) == CERTIFICATE_URL
    assert (target.origin.host, target.origin.tcp_port, target.origin.host_header) == (HOST, 443, HOST)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/cert/a.cer",
        "https://evil.blob.core.windows.net/cert/a.cer",
        f"https://{HOST}.evil.test/cert/a.cer",
        f"https://evil.{HOST}/cert/a.cer",
        f"https://{HOST}./cert/a.cer",
        f"https://{HOST}:443/cert/a.cer",
        f"https://{HOST}:8443/cert/a.cer",
        "https://127.0.0.1/cert/a.cer",
        "https://169.254.169.254/cert/a.cer",
        "https://2130706433/cert/a.cer",
        "https://0x7f.1/cert/a.cer",
        "https://localhost/cert/a.cer",
    ],
)
def test_another_origin_is_refused(url: str) -> None:
    assert refusal_reason(url) is Reason.ORIGIN_NOT_ALLOWED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/cert/a.cer",
        f"//{HOST}/cert/a.cer",
        f"ftp://{HOST}/cert/a.cer",
        "file:///cert/a.cer",
        f"https://user@{HOST}/cert/a.cer",
        f"https://{HOST}@evil.test/cert/a.cer",
        f"https://evil.test#@{HOST}/cert/a.cer",
        f"https://evil.test\\@{HOST}/cert/a.cer",
        f"https://{HOST}/cert/a.cer?x=1",
        f"https://{HOST}/cert/a.cer#x",
        f"https://{HOST}/cert/a.cer\n",
        f"https://{HOST}/cert/a.cer\r\nHost: evil.test",
        f" https://{HOST}/cert/a.cer",
        f"https://{HOST}:/cert/a.cer",
        f"https://{HOST}:0443/cert/a.cer",
        f"https://{HOST}:443443/cert/a.cer",
        f"https://{HOST}\u3002/cert/a.cer",
        "https://[::1]/cert/a.cer",
        f"https://{HOST}/cert/\u00e9.cer",
        f"https://{HOST}/cert/" + "a" * 300 + ".cer",
        f"https:\\\\{HOST}\\cert\\a.cer",
        f"https:///{HOST}/cert/a.cer",
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    assert refusal_reason(url) is Reason.URL_MALFORMED


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/a.cer", "/cert/", "/cert/.cer", "/cert/a.pem", "/cert/a.cer/", "/cert//a.cer", "/cert/../a.cer",
        "/CERT/a.cer",
        "/cert/x/a.cer", "/cert/%2e%2e.cer", "/cert/a%2ecer", "/cert/a.CER", "/cert/a;b.cer", "/cert/a:b.cer",
        "/other/cert/a.cer",
    ],
)  # fmt: skip
def test_another_path_is_refused(path: str) -> None:
    assert refusal_reason(f"https://{HOST}{path}") is Reason.PATH_NOT_ALLOWED


def test_a_port_is_allowed_only_if_the_setting_names_it() -> None:
    assert str(allow_list("https://localhost:8443").parse_url("https://localhost:8443/cert/a.cer"))
    assert refusal_reason("https://localhost/cert/a.cer", "https://localhost:8443") is Reason.ORIGIN_NOT_ALLOWED
    assert refusal_reason("https://localhost:8444/cert/a.cer", "https://localhost:8443") is Reason.ORIGIN_NOT_ALLOWED


def test_real_issuer_addresses_match_the_issuer_pattern() -> None:
    for path in (
        "/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt",
        "/DigiCertGlobalG2TLSRSASHA2562020CA1-1.crt",
        "/cert/intermediate.cer",
    ):
        assert ISSUER_PATH.fullmatch(path)
    for path in ("/a/../b.crt", "/%2e%2e/b.crt", "/a.crt?x", "//a.crt", "/a.p7c", "/" + "a/" * 9 + "b.crt"):
        assert not ISSUER_PATH.fullmatch(path)


@pytest.mark.parametrize("text", ["https://*.blob.core.windows.net", "https://*", "*", "https://a.*.test"])
@pytest.mark.parametrize("setting", ["origins", "issuer_origins"])
def test_a_wildcard_stops_the_start(setting: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match="wildcard"):
        open_verifier(**{setting: (text,)})  # type: ignore[arg-type]  # one of the two origin settings


@pytest.mark.parametrize(
    "text",
    [
        "", HOST, f"http://{HOST}", f"https://{HOST}/", f"https://{HOST}/cert", f"https://u:p@{HOST}", f"https://{HOST}?",
        "https://",
        "https://-a.test", "https://a..test", "https://127.1", "https://2130706433", "https://0x7f.0.0.1", "https://a.test:0",
        "https://a.test:65536", "https://[::1]:1", "https://a_b.test", "https://ex\u00e4mple.test",
    ],
)  # fmt: skip
def test_an_origin_that_is_not_exact_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="Example: https://"):
        open_verifier(origins=(text,))


@pytest.mark.parametrize(
    "text",
    [
        f"https://{HOST}:443", "https://a.test:8443", "https://localhost", "https://x.localhost", "https://127.0.0.1",
        "https://10.0.0.4", "https://93.184.216.34",
    ],
)  # fmt: skip
def test_in_azure_a_port_or_an_address_stops_the_start(text: str) -> None:
    open_verifier(origins=(text,), in_azure=False)
    with pytest.raises(ConfigurationError, match="in Azure"):
        open_verifier(origins=(text,), in_azure=True)
    with pytest.raises(ConfigurationError, match="in Azure"):
        open_verifier(issuer_origins=(text,), in_azure=True)


def test_the_documented_origin_is_accepted_in_azure() -> None:
    verifier = open_verifier(in_azure=True, issuer_origins=("http://www.microsoft.com",))
    assert [str(origin) for origin in verifier.dispatcher.issuers.origins] == [
        f"https://{HOST}",
        "http://www.microsoft.com",
    ]


def test_plain_http_is_for_issuers_only() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        open_verifier(origins=("http://www.microsoft.com",))
