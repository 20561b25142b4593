import pytest

from shared.transport.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_recognised_by_name_and_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "10.0.0.4", "example.com", "localhost.example.com", "1", "::", "0.0.0.0"])  # noqa: S104 - asked about, not bound
def test_every_other_host_is_another_machine(host: str | None) -> None:
    assert not is_loopback(host)
