"""Provide an unreliable certificate host, a network that refuses connections, and a record of all socket calls."""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import NoReturn

import pytest

from shared.foundation.errors import Unavailable
from shared.webhook.certificate_origins import Target
from tests.hostile.request_changes import self_signed_identity
from tests.unit.webhook.throwaway_chain import (
    CERTIFICATE_URL,
    INTERMEDIATE_URL,
    NOW,
    CertificateSpec,
    authority_spec,
    good_chain,
    issue,
    rsa_key,
)

PUBLIC = "93.184.216.34"


@cache
def bad_files() -> tuple[bytes, ...]:
    """Files that could be served in place of the certificate."""
    chain = good_chain()
    unknown_root = issue(authority_spec("Unknown Root"))
    leaves = [
        self_signed_identity(),
        issue(CertificateSpec(key=rsa_key("foreign")), unknown_root),
        issue(CertificateSpec(key=rsa_key("foreign")), chain.leaf),
        issue(CertificateSpec(alternative_names=("evil.microsoft.com",)), chain.intermediate),
        issue(CertificateSpec(ca=True), chain.intermediate),
        issue(CertificateSpec(not_after=NOW - timedelta(days=1)), chain.intermediate),
        issue(CertificateSpec(key=rsa_key("short", 1024)), chain.intermediate),
        issue(CertificateSpec(unknown_critical=True), chain.intermediate),
        issue(CertificateSpec(key=rsa_key("foreign"), issuer_url="http://169.254.169.254/cert/a.cer"), unknown_root),
        chain.intermediate,
        chain.root,
    ]
    return (
        b"",
        b"<html>",
        b"\x30\x80",
        b"x" * 16_000,
        *(leaf.der for leaf in leaves),
        self_signed_identity().pem.encode(),
    )


@dataclass
class UnreliableHost:
    """Serves at random the genuine certificate, another file, or nothing. Records every address."""

    chance: random.Random
    good_share: float
    asked: list[str] = field(default_factory=list)

    def __call__(self, target: Target, _seconds: float) -> bytes:
        self.asked.append(str(target))
        genuine = {CERTIFICATE_URL: good_chain().leaf.der, INTERMEDIATE_URL: good_chain().intermediate.der}.get(
            str(target)
        )
        if genuine is not None and self.chance.random() < self.good_share:
            return genuine
        if self.chance.random() < 0.2:
            raise Unavailable("down")
        return self._mangle_certificate() if self.chance.random() < 0.6 else self.chance.choice(bad_files())

    def _mangle_certificate(self) -> bytes:
        der = bytearray(good_chain().leaf.der)
        for _ in range(self.chance.randrange(1, 4)):
            der[self.chance.randrange(len(der))] = self.chance.randrange(256)
        return bytes(der[: self.chance.choice([len(der), self.chance.randrange(len(der))])])


@dataclass
class RefusingNetwork:
    """Resolves every name to one public address and refuses every connection. Records both."""

    resolved: list[tuple[str, int]] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append((host, port))
        return [PUBLIC]

    def connect(self, address: tuple[str, int], _seconds: float) -> NoReturn:
        self.opened.append(address)
        raise ConnectionRefusedError


_socket_calls: list[str] = []
_is_recording = False


def _record_socket_call(event: str, _arguments: tuple[object, ...]) -> None:
    if _is_recording and event.startswith("socket.") and event != "socket.__new__":
        _socket_calls.append(event)


@pytest.fixture(scope="session")
def _audit_hook() -> None:
    sys.addaudithook(_record_socket_call)


@pytest.fixture
def socket_calls(_audit_hook: None) -> Iterator[list[str]]:
    """The socket calls during the test, as the interpreter reports them to a hook. No code can avoid the hook."""
    global _is_recording  # noqa: PLW0603 - an audit hook cannot be removed, so a flag switches it off
    _socket_calls.clear()
    _is_recording = True
    yield _socket_calls
    _is_recording = False
