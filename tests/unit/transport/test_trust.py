"""One TLS context for each file of roots: loaded once, shared by every client, and by every connection of a client."""

import ssl
from pathlib import Path

import httpx
import pytest
import requests

from emulators.base.certificate_authority import Authority
from emulators.base.server import Response, Server
from shared.foundation.errors import ConfigurationError
from shared.transport.client import open_client
from shared.transport.session import open_session
from shared.transport.trust import tls_context


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of roots that the contexts of this process have loaded."""
    loaded, load = list[str](), ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, cafile: str | None = None, capath: str | None = None, cadata: str = "") -> None:
        loaded.append(str(cafile or capath))
        load(self, cafile, capath, cadata or None)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    return loaded


def test_one_file_is_loaded_once_for_all_clients_and_connections(
    loads: list[str], authority: Authority, tmp_path: Path
) -> None:
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(authority.bundle.read_bytes())
    with Server(lambda _: Response.of({}, Connection="close"), tls=authority.server_context()) as server:
        for _ in range(2):
            with open_session(bundle) as session, open_client(bundle) as client:
                answers = [open_url(server.url) for open_url in (session.get, session.get, client.get, client.get)]
                assert [answer.status_code for answer in answers] == [200] * 4
    assert loads == [str(bundle)]


def test_a_library_that_names_other_roots_for_a_call_changes_nothing(
    loads: list[str], authority: Authority, tmp_path: Path
) -> None:
    theirs = Authority(tmp_path)
    with (
        Server(lambda _: Response(), tls=authority.server_context()) as trusted,
        Server(lambda _: Response(), tls=theirs.server_context()) as stranger,
        open_session(authority.bundle) as session,
    ):
        loads.clear()
        assert session.get(trusted.url, verify=str(theirs.bundle)).status_code == 200
        for verify in (False, True, str(theirs.bundle)):
            with pytest.raises(requests.exceptions.SSLError):
                session.get(stranger.url, verify=verify)
    assert loads == []


def test_a_file_that_was_replaced_is_loaded_again(authority: Authority, tmp_path: Path) -> None:
    theirs, bundle = Authority(tmp_path), tmp_path / "roots.pem"
    with Server(lambda _: Response(), tls=authority.server_context()) as server:
        bundle.write_bytes(theirs.bundle.read_bytes())
        with open_client(bundle) as client, pytest.raises(httpx.ConnectError):
            client.get(server.url)
        bundle.write_bytes(theirs.bundle.read_bytes() + authority.bundle.read_bytes())
        with open_client(bundle) as client:
            assert client.get(server.url).status_code == 200


def test_the_context_verifies_host_and_chain_as_pythons_own_does(authority: Authority) -> None:
    ours, usual = tls_context(authority.bundle), ssl.create_default_context()
    assert ours.check_hostname
    assert ours.verify_mode is ssl.CERT_REQUIRED
    assert ours.verify_flags == usual.verify_flags
    assert ours.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_no_file_of_the_environment_records_the_keys_of_connections(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(authority.bundle.read_bytes())
    with (
        Server(lambda _: Response(), tls=authority.server_context()) as server,
        open_client(bundle) as client,
        open_session(bundle) as session,
    ):
        assert [client.get(server.url).status_code, session.get(server.url).status_code] == [200, 200]
        assert not tls_context(bundle).keylog_filename


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_cannot_be_used_is_a_configuration_error(tmp_path: Path, content: bytes | None) -> None:
    bundle = tmp_path / "roots.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"roots\.pem"):
        tls_context(bundle)
