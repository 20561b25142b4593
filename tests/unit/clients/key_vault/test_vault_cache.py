"""The cache of the vault: what is kept, for how long, and how threads share a fetch."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from shared.clients.key_vault.secrets_port import SecretFacts
from shared.clients.key_vault.vault import Vault, open_vault, require_resolved
from shared.foundation.errors import ConfigurationError, NotFound, Unavailable

NOW = datetime(2026, 11, 1, tzinfo=UTC)


class FakeSecrets:
    """Secrets in memory that record each read, and can wait or fail."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.reads: list[str] = []
        self.expiries: list[datetime | None] = []
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)

    def read(self, name: str) -> str:
        self.reads.append(name)
        value = self.values.get(name)
        self.arrived.release()
        self.gate.wait(60)
        if self.broken:
            raise Unavailable("down")
        if value is None:
            raise NotFound(name)
        return value

    def read_facts(self, name: str) -> SecretFacts:
        self.reads.append(f"facts of {name}")
        return SecretFacts(NOW, NOW)

    def write(self, name: str, value: str, expires: datetime | None = None) -> None:
        self.expiries.append(expires)
        self.values[name] = value
        if self.broken:
            raise Unavailable("no answer")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets(one="1", two="2")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(secrets: FakeSecrets, clock: Clock) -> Vault:
    return Vault(secrets, keep=600, clock=clock)


def test_a_secret_is_read_once_in_ten_minutes(vault: Vault, secrets: FakeSecrets, clock: Clock) -> None:
    assert (vault.get("one"), vault.get("one"), vault.get("two")) == ("1", "1", "2")
    secrets.values["one"] = "new"
    clock.now = 599.9
    assert vault.get("one") == "1"
    clock.now = 600
    assert vault.get("one") == "new"
    assert secrets.reads == ["one", "two", "one"]


def test_a_fresh_read_returns_the_new_secret_and_leaves_the_others_cached(vault: Vault, secrets: FakeSecrets) -> None:
    vault.get("one")
    vault.get("two")
    secrets.values |= {"one": "new", "two": "new"}
    assert (vault.get_fresh("one"), vault.get("one"), vault.get("two")) == ("new", "new", "2")


def test_a_failed_fresh_read_leaves_no_stale_value(vault: Vault, secrets: FakeSecrets) -> None:
    vault.get("one")
    secrets.broken = True
    with pytest.raises(Unavailable):
        vault.get_fresh("one")
    with pytest.raises(Unavailable):
        vault.get("one")
    secrets.broken = False
    assert vault.get("one") == "1"


def test_a_value_that_was_set_is_cached(vault: Vault, secrets: FakeSecrets) -> None:
    vault.get("one")
    vault.set("one", "mine")
    assert (vault.get("one"), secrets.values["one"], secrets.reads) == ("mine", "mine", ["one"])


def test_after_a_lost_write_the_vault_is_read(vault: Vault, secrets: FakeSecrets) -> None:
    vault.get("one")
    secrets.broken = True
    with pytest.raises(Unavailable):
        vault.set("one", "mine")
    secrets.broken = False
    assert vault.get("one") == "mine"
    assert secrets.reads == ["one", "one"]


def test_many_threads_make_one_fetch(vault: Vault, secrets: FakeSecrets) -> None:
    secrets.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(vault.get, "one") for _ in range(8)]
        secrets.arrived.acquire(timeout=60)
        secrets.gate.set()
        assert {future.result(60) for future in futures} == {"1"}
    assert secrets.reads == ["one"]


def test_a_fetch_of_one_name_does_not_block_another_name(vault: Vault, secrets: FakeSecrets) -> None:
    vault.get("two")
    secrets.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(vault.get, "one")
        secrets.arrived.acquire(timeout=60)
        vault.set("two", "mine")
        assert (vault.get("two"), waiting.done()) == ("mine", False)
        secrets.gate.set()
        assert waiting.result(60) == "1"


def test_a_fresh_read_never_uses_a_fetch_that_began_before_it(vault: Vault, secrets: FakeSecrets) -> None:
    secrets.gate.clear()
    numbers, taken = vault._numbers, threading.Semaphore(0)

    def counted() -> Iterator[int]:
        for number in numbers:
            taken.release()
            yield number

    vault._numbers = counted()
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(vault.get, "one")
        assert secrets.arrived.acquire(timeout=60)
        assert taken.acquire(timeout=60)
        late = pool.submit(vault.get_fresh, "one")
        assert taken.acquire(timeout=60)  # the second read has begun while the first one is still reading
        secrets.values["one"] = "new"
        secrets.gate.set()
        assert (early.result(60), late.result(60)) == ("1", "new")


@pytest.mark.parametrize("text", ["@Microsoft.KeyVault(SecretUri=https://x)", " @microsoft.keyvault(VaultName=x)"])
def test_the_text_of_an_unresolved_reference_is_not_a_secret(secrets: FakeSecrets, vault: Vault, text: str) -> None:
    secrets.values["one"] = text
    with pytest.raises(ConfigurationError, match="secret one") as refused:
        vault.get("one")
    assert "SecretUri" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="PC_TOKEN"):
        require_resolved("PC_TOKEN", text)
    assert require_resolved("PC_TOKEN", "plain") == "plain"


def test_a_vault_never_shows_its_secrets(secrets: FakeSecrets) -> None:
    secrets.values["one"] = "very secret"
    vault = Vault(secrets, label="https://v.vault.azure.net")
    vault.get("one")
    assert repr(vault) == "Vault('https://v.vault.azure.net', keep=600.0)"
    assert "very secret" not in repr(vars(vault)["_cache"])


@pytest.mark.parametrize(
    "url", ["", "v", "http://v.vault.azure.net", "https:///x", "https://v.vault.azure.net/secrets/one", "https://u@v/"]
)
def test_an_address_that_is_not_a_vault_stops_the_app(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"https://NAME\.vault\.azure\.net"):
        open_vault(url, client_id="c", ca_bundle="ca.pem")


def test_opening_a_vault_imports_nothing_of_azure() -> None:
    program = (
        "import sys; from shared.clients.key_vault.vault import open_vault\n"
        "open_vault('https://v.vault.azure.net', client_id='c', ca_bundle='ca.pem')\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'azure', 'requests', 'msal'}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - a command of this test
    assert done.stdout.strip() == "[]"


def test_dates_are_never_cached_and_an_expiry_is_passed_on() -> None:
    secrets = FakeSecrets(one="first")
    vault = Vault(secrets)
    assert [vault.read_facts("one"), vault.read_facts("one")] == [SecretFacts(NOW, NOW)] * 2
    assert secrets.reads == ["facts of one"] * 2

    vault.set("one", "second", expires=NOW)
    assert (secrets.expiries, vault.get("one")) == ([NOW], "second")
