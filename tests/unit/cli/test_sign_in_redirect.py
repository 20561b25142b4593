"""The loopback address to which the browser returns after a sign-in."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from shared.cli.sign_in_redirect import MAX_FORM_BYTES, RedirectListener


@pytest.fixture
def redirect() -> Iterator[RedirectListener]:
    with RedirectListener() as redirect:
        redirect.expect_state("the-state")
        yield redirect


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=60) as browser:
        yield browser


def test_only_the_first_answer_with_the_state_is_accepted(redirect: RedirectListener, browser: httpx.Client) -> None:
    first = browser.post(redirect.url, data={"code": "first", "state": "the-state"})
    second = browser.post(redirect.url, data={"code": "second", "state": "the-state"})

    assert (first.status_code, second.status_code) == (200, 404)
    assert redirect.wait_for_answer(60) == {"code": "first", "state": "the-state"}
    assert (first.headers["Cache-Control"], first.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_a_refused_sign_in_is_an_answer_too(redirect: RedirectListener, browser: httpx.Client) -> None:
    browser.post(redirect.url, data={"error": "access_denied", "state": "the-state"})

    assert redirect.wait_for_answer(60) == {"error": "access_denied", "state": "the-state"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"state=the-state",
        b"code=x",
        b"code=x&state=",
        b"code=x&state=another",
        "code=x&state=thé-state".encode(),
        b"\xff\xfe=%ff",
        b"code=x&state=the-state&more=" + b"x" * MAX_FORM_BYTES,
    ],
    ids=range(8),
)
def test_a_form_that_does_not_belong_to_the_sign_in_is_ignored(
    redirect: RedirectListener, browser: httpx.Client, body: bytes
) -> None:
    assert browser.post(redirect.url, content=body).status_code == 404
    assert redirect.wait_for_answer(0) is None


@pytest.mark.parametrize("length", ["-1", "many", "99999999999999999999"])
def test_an_invalid_content_length_is_not_an_answer(redirect: RedirectListener, length: str) -> None:
    with socket.create_connection(("127.0.0.1", redirect._server.server_address[1]), timeout=60) as browser:
        browser.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode())
        assert browser.recv(1000).split()[1] == b"404"


def test_a_get_request_with_the_state_is_not_an_answer(redirect: RedirectListener, browser: httpx.Client) -> None:
    assert browser.get(f"{redirect.url}/?code=x&state=the-state").status_code == 404
    assert redirect.wait_for_answer(0) is None


def test_no_answer_is_accepted_before_the_sign_in_has_begun(browser: httpx.Client) -> None:
    with RedirectListener() as redirect:
        assert browser.post(redirect.url, data={"code": "x", "state": ""}).status_code == 404


def test_it_listens_only_on_the_loopback(redirect: RedirectListener) -> None:
    assert redirect._server.server_address[0] == "127.0.0.1"


# --- an answer in the query of an address


def test_an_answer_in_the_query_is_taken_once_and_only_with_the_state(browser: httpx.Client) -> None:
    with RedirectListener(in_query=True) as redirect:
        redirect.expect_state("the-state")
        assert redirect.url.endswith("/callback")
        for address in ("?code=x", "?code=x&state=another", "?state=the-state", ""):
            assert browser.get(redirect.url + address).status_code == 404
        assert browser.get(redirect.url.removesuffix("callback") + "?code=x&state=the-state").status_code == 404
        assert browser.post(redirect.url, data={"code": "x", "state": "the-state"}).status_code == 404
        assert redirect.wait_for_answer(0) is None
        assert browser.get(f"{redirect.url}?code=first&state=the-state").status_code == 200
        assert browser.get(f"{redirect.url}?code=second&state=the-state").status_code == 404
        assert redirect.wait_for_answer(60) == {"code": "first", "state": "the-state"}


def test_the_next_command_can_use_the_port_at_once(browser: httpx.Client) -> None:
    port = 0
    for _ in range(2):
        with RedirectListener(port, in_query=True) as redirect:
            redirect.expect_state("the-state")
            assert browser.get(f"{redirect.url}?code=x&state=the-state").status_code == 200
            port = redirect._server.server_address[1]
            with pytest.raises(OSError, match="in use"):
                RedirectListener(port)
