"""Azurite's ports are chosen before it starts: by then somebody else may have one."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from local import azurite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.node,
    pytest.mark.skipif(azurite.missing() is not None, reason=f"NOT RUN: {azurite.missing()}"),
]


def test_a_port_that_was_taken_meanwhile_is_changed_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, asked = azurite._free_ports, list[int]()
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def unlucky_at_first(count: int) -> Sequence[int]:
            asked.append(count)
            ports = free(count)
            return ports if len(asked) > 1 else [*ports[:-1], taken.getsockname()[1]]

        monkeypatch.setattr(azurite, "_free_ports", unlucky_at_first)
        with azurite.running(tmp_path) as running:
            assert running.table != taken.getsockname()[1]
            socket.create_connection(("127.0.0.1", running.table)).close()

    assert len(asked) == 2


def test_where_every_port_is_taken_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(azurite, "_free_ports", lambda count: [taken.getsockname()[1]] * count)
        with (
            pytest.raises(RuntimeError, match="other programs took its ports, 1 times"),
            azurite.running(tmp_path),
        ):
            pass


def test_what_azurite_refuses_for_another_reason_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"Azurite did not start: .*nonsense.* is unknown"),
        azurite.running(tmp_path, "--nonsense"),
    ):
        pass
