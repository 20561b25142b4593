"""Runs the emulated systems of one build, and does what people do in them.

    python -P emulators_process.py ROOT

`ROOT` is the checkout of the build. The first line of output is the app's environment as JSON. Each line of input is
then one action, such as {"do": "sellers_create", "count": 3}, and is answered with one line.
"""

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

PLACES = (("local.systems", "start_systems"), ("infra.local.systems", "started"))
"""Where a build has the function that starts all emulators: this build, and f9a8dde."""
ALWAYS = 1_000_000_000
"""So many requests meet a fault that never ends."""


def start_function() -> Callable[[Path], contextlib.AbstractContextManager[Any]]:
    """The function of the build that starts all its emulators."""
    for module, name in PLACES:
        with contextlib.suppress(ModuleNotFoundError):
            found: Callable[[Path], contextlib.AbstractContextManager[Any]] = getattr(
                importlib.import_module(module), name
            )
            return found
    raise ModuleNotFoundError("the build has no module that starts its emulators")


class Actions:
    """What can be asked. The public methods are the actions, and their parameters the other keys of the line."""

    def __init__(self, systems: Any) -> None:  # noqa: ANN401 - the Systems of either build
        """Act on these running emulators."""
        self._systems = systems

    def reset(self) -> None:
        """Forget all deals and calls."""
        self._systems.reset()
        Path(self._systems.environ["STORE_FILE"]).unlink(missing_ok=True)

    def sellers_create(self, count: int) -> list[str]:
        """Let sellers tick so many new opportunities; returns their ids."""
        return [self._systems.seller_creates(f"Deal {number}") for number in range(count)]

    def microsoft_sends(self, count: int) -> list[str]:
        """Let Microsoft send so many new deals; returns the ids of the referrals."""
        return [self._systems.partner_center.microsoft_sends() for _ in range(count)]

    def sellers_edit(self, ids: Sequence[str], turn: int) -> None:
        """Let sellers enter an amount that no earlier turn has entered."""
        for key in ids:
            self._systems.salesforce.edit("Opportunity", key, {"Amount": 20_000 + turn})

    def colleagues_edit(self, ids: Sequence[str], turn: int) -> str:
        """Let colleagues enter a closing date in Partner Center that no earlier turn has entered; returns the date."""
        first = date(date.today().year + 1, 1, 1)  # noqa: DTZ011 - any day of next year is good
        day = (first + timedelta(days=turn)).isoformat()
        operation = {"op": "replace", "path": "/details/closingDateTime", "value": f"{day}T00:00:00Z"}
        for referral in ids:
            self._systems.partner_center.portal_edits(referral, [operation])
        return day

    def referrals_of(self, ids: Sequence[str]) -> list[str | None]:
        """The referral's id that each opportunity shows."""
        shown = {record["Id"]: record for record in self._systems.salesforce.records("Opportunity")}
        return [shown[key]["Referral_Identifier__c"] or None for key in ids]

    def shown(self, ids: Sequence[str]) -> int:
        """How many of the opportunities show a referral's id. It asks about each alone, as cheap as can be."""
        records = (self._systems.salesforce.record("Opportunity", key) for key in ids)
        return sum(bool(record["Referral_Identifier__c"]) for record in records)

    def amounts_in_partner_center(self, ids: Sequence[str]) -> list[float]:
        """The amount of each referral."""
        return [float(self._systems.partner_center.referral(key)["details"]["dealValue"]) for key in ids]

    def days_in_salesforce(self, ids: Sequence[str]) -> list[str]:
        """The closing date of each opportunity."""
        return [str(self._systems.salesforce.record("Opportunity", key)["CloseDate"]) for key in ids]

    def now(self) -> str:
        """The time of both sides, which `pass_time` moves together, in whole seconds."""
        return str(self._systems.salesforce.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))

    def pass_time(self, seconds: float) -> None:
        """Move the clocks of both sides forward."""
        for emulator in (self._systems.salesforce, self._systems.partner_center):
            emulator.clock.advance(seconds)

    def delay(self, seconds: float) -> None:
        """Let each call of both sides take so much longer, waited outside the emulators' locks; 0 ends it."""
        fault = {"kind": "delay", "seconds": seconds, "times": ALWAYS}
        for emulator in (self._systems.salesforce, self._systems.partner_center):
            emulator.faults.clear()
            if seconds:
                emulator.handle(_post(emulator, "/_control/faults", fault))

    def take_calls(self) -> dict[str, int]:
        """The number of calls to each side since this was asked last. Signing in does not count."""
        counts = {}
        for name, emulator in (
            ("salesforce", self._systems.salesforce), ("partner_center", self._systems.partner_center)
        ):  # fmt: skip
            counts[name] = sum("/oauth2/" not in entry.path for entry in emulator.journal)
            emulator.journal.clear()
        return counts

    def events(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """For each referral, the signed event that Microsoft's dispatcher would send now."""
        signed = (self._systems.partner_center.signed_event(key) for key in ids)
        return [{"headers": dict(headers), "body": body.decode()} for headers, body in signed]

    def tokens(self) -> dict[str, str]:
        """Tokens with which a script may call both sides as the integration account does."""
        entra = self._systems.partner.entra
        issue = getattr(entra, "issue_access_token", None) or entra.access_token
        salesforce = self._systems.salesforce
        user = next(
            record["Id"] for record in salesforce.records("User")
            if record["Username"] == self._systems.environ["SALESFORCE_USERNAME"]
        )  # fmt: skip
        opens = getattr(salesforce.oauth, "issue_session_id", None) or salesforce.oauth.open
        return {"partner_center": issue(), "salesforce": opens(user)}


def _post(emulator: Any, path: str, body: object) -> Any:  # noqa: ANN401 - the Request of either build
    """A request of the build's own kind for its control API."""
    server = importlib.import_module(
        "emulators.base.server" if type(emulator).__module__.startswith("emulators.") else "infra.local.wire"
    )
    return server.Request("POST", path, body=json.dumps(body).encode())


def answer(actions: Actions, line: str) -> object:
    """Do what one line asks. Raises AttributeError for an unknown action."""
    asked = json.loads(line)
    return getattr(actions, asked.pop("do"))(**asked)


def main() -> int:
    """Serve until the input ends; returns 0."""
    sys.path.insert(0, sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="cosell-bench-") as folder, start_function()(Path(folder)) as systems:
        environ = {**systems.environ, "BENCH_SALESFORCE": systems.salesforce_url, "BENCH_FOLDER": folder}
        print(json.dumps(environ), flush=True)
        actions = Actions(systems)
        for line in sys.stdin:
            print(json.dumps(answer(actions, line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
