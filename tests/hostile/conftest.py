"""A certificate host with moods, a network that only takes notes, and a witness of every socket call."""

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
    """What might lie where the certificate should."""
    chain = good_chain()
    stranger = issue(authority_spec("Stranger Root"))
    leaves = [
        self_signed_identity(),
        issue(CertificateSpec(key=rsa_key("foreign")), stranger),
        issue(CertificateSpec(key=rsa_key("foreign")), chain.leaf),
        issue(CertificateSpec(alternative_names=("evil.microsoft.com",)), chain.intermediate),
        issue(CertificateSpec(ca=True), chain.intermediate),
        issue(CertificateSpec(not_after=NOW - timedelta(days=1)), chain.intermediate),
        issue(CertificateSpec(key=rsa_key("short", 1024)), chain.intermediate),
        issue(CertificateSpec(unknown_critical=True), chain.intermediate),
        issue(CertificateSpec(key=rsa_key("foreign"), issuer_url="http://169.254.169.254/cert/a.cer"), stranger),
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
    """Serves the true certificate, something else, or nothing, as chance has it; notes every address."""

    chance: random.Random
    good_share: float
    asked: list[str] = field(default_factory=list)

    def __call__(self, target: Target, _seconds: float) -> bytes:
        self.asked.append(str(target))
        true = {CERTIFICATE_URL: good_chain().leaf.der, INTERMEDIATE_URL: good_chain().intermediate.der}.get(
            str(target)
        )
        if true is not None and self.chance.random() < self.good_share:
            return true
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
    """Resolves every name to one public address and refuses every connection, noting both."""

    resolved: list[tuple[str, int]] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append((host, port))
        return [PUBLIC]

    def connect(self, address: tuple[str, int], _seconds: float) -> NoReturn:
        self.opened.append(address)
        raise ConnectionRefusedError


_watched: list[str] = []
_watching = False


def _record_socket_call(event: str, _arguments: tuple[object, ...]) -> None:
    if _watching and event.startswith("socket.") and event != "socket.__new__":
        _watched.append(event)


@pytest.fixture(scope="session")
def _audit() -> None:
    sys.addaudithook(_record_socket_call)


@pytest.fixture
def sockets(_audit: None) -> Iterator[list[str]]:
    """The interpreter's own record of socket calls during the test: nothing can go round it."""
    global _watching  # noqa: PLW0603 - an audit hook cannot be removed, only told to look away
    _watched.clear()
    _watching = True
    yield _watched
    _watching = False
