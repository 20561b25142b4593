"""Azurite's ports are chosen before it starts, so another program may take one meanwhile."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from local import azurite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.node,
    pytest.mark.skipif(azurite.unavailable_reason() is not None, reason=f"NOT RUN: {azurite.unavailable_reason()}"),
]


def test_azurite_starts_again_if_another_program_took_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_free_ports, requested_counts = azurite._free_ports, list[int]()
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def return_taken_port_first(count: int) -> Sequence[int]:
            requested_counts.append(count)
            ports = find_free_ports(count)
            return ports if len(requested_counts) > 1 else [*ports[:-1], taken.getsockname()[1]]

        monkeypatch.setattr(azurite, "_free_ports", return_taken_port_first)
        with azurite.start_azurite(tmp_path) as running:
            assert running.table != taken.getsockname()[1]
            socket.create_connection(("127.0.0.1", running.table)).close()

    assert len(requested_counts) == 2


def test_the_error_says_that_other_programs_took_the_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite, "START_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(azurite, "_free_ports", lambda count: [taken.getsockname()[1]] * count)
        with (
            pytest.raises(RuntimeError, match="other programs took its ports in all 1 attempts"),
            azurite.start_azurite(tmp_path),
        ):
            pass


def test_the_error_contains_azurites_own_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"Azurite did not start: .*nonsense.* is unknown"),
        azurite.start_azurite(tmp_path, "--nonsense"),
    ):
        pass
