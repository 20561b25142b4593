"""Runs `make serve` with twenty deals of which six are in trouble, for a walk through docs/troubleshooting.md.

Sellers make fourteen deals and Microsoft sends six. Each deal in trouble has another cause: an opportunity that is not
complete, a rule of the org, a column of ours that the org refuses, a referral that cannot become an opportunity, a deal
that nobody answered, and the mass-change stop.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from emulators.salesforce.data.hooks import ValidationRule
from emulators.salesforce.metadata.component_xml import rule_of_formula
from local import serve
from local.host.functions_host import Host
from local.systems import REST_SECONDS, Systems

CUSTOMERS = (
    "Adatum", "Alpine Ski House", "Bellows College", "Best For You", "Coho Vineyard", "Contoso Suites",
    "Fabrikam Residences", "First Up", "Fourth Coffee", "Graphic Design Institute", "Lucerne Publishing",
    "Humongous Insurance", "Lamna",
)  # fmt: skip
"""The customers of the deals that sellers make and that reach Partner Center. The last two get into trouble."""
SETTINGS = {"MASS_CHANGE_LIMIT": str(len(CUSTOMERS) + 1)}
"""The deals that sellers make, and the one that is held, are not too many new deals."""
INBOUND = ("Margie's Travel", "Munson's Pickles", "Northwind Traders", "Proseware")
UNDECIDED = "TBD"
"""Stands in the name of a deal that has no name yet."""
EVENT_SECONDS = 60.0
WORKS = 4
"""So often the sync works while the deals are prepared."""
LOG_FILE = "cosell.log"
PAGE = "docs/troubleshooting.md"


class Trouble:
    """The twenty deals, and the six faults among them."""

    def __init__(self, systems: Systems, host: Host) -> None:
        self._systems = systems
        self._host = host

    def prepare(self) -> None:
        """Make all deals, and let the sync work until each fault shows.

        Salesforce's clock is put back before and is right again at the end, so that no record has a future time.
        """
        clock = self._systems.salesforce.clock
        clock.advance(-WORKS * REST_SECONDS)
        self._systems.salesforce.backdate_users(clock.now())
        sent = [self._seller_creates(name, amount=9_000 + 500 * n) for n, name in enumerate(CUSTOMERS)]
        self._let_records_rest()  # before the app signs in: Salesforce refuses an assertion that ends much later
        for n, name in enumerate(INBOUND):
            self._microsoft_sends(name, 24_000 + 500 * n)
        self._run()
        self._sellers_accept()
        self._work()
        self._closing_dates_are_loaded(besides=sent[-2:])
        self._work()
        self._rule_refuses_amount(sent[-2])
        self._org_refuses_column(sent[-1])
        self._seller_forgets_country()
        self._rule_refuses_new_deal()
        self._nobody_answers()
        self._work()

    def _work(self) -> None:
        """Let each run of the sync do what is due. A record that was just saved must rest before."""
        self._let_records_rest()
        self._run()

    def _let_records_rest(self) -> None:
        self._systems.salesforce.clock.advance(REST_SECONDS)

    def _run(self) -> None:
        self._systems.partner_center.dispatcher.wait_idle(EVENT_SECONDS)
        self._host.wait_idle(EVENT_SECONDS)
        for timer in ("sweep_referrals", "push_opportunities"):
            self._host.run_now(timer)

    def _seller_creates(self, customer: str, *, amount: int, country: str | None = "US") -> str:
        return self._systems.seller_creates(f"{customer} migration", country=country, Amount=amount)

    def _sellers_accept(self) -> None:
        """The sellers accept what Microsoft sent."""
        for record in self._systems.salesforce.records("Opportunity"):
            if record["StageName"] == "On Hold":
                self._systems.salesforce.edit("Opportunity", record["Id"], {"StageName": "Qualification"})

    def _closing_dates_are_loaded(self, besides: Sequence[str]) -> None:
        """A data load sets one closing date on one deal more than the mass-change stop lets go in a day."""
        for record in self._systems.salesforce.records("Opportunity"):
            if record["Id"] not in besides:
                day = f"{datetime.now(UTC).year + 2}-06-30"
                self._systems.salesforce.edit("Opportunity", record["Id"], {"CloseDate": day})

    def _rule_refuses_amount(self, opportunity: str) -> None:
        """An administrator demands a next step for large deals, and a colleague enters a large amount."""
        message = "A deal with an Amount of more than 50,000 needs a Next Step (NextStep)."
        self._add_rule("AND(Amount > 50000, ISBLANK(NextStep))", message)
        patch = [{"op": "replace", "path": "/details/dealValue", "value": 75_000}]
        self._systems.partner_center.portal_edits(self._referral_of(opportunity), patch)

    def _org_refuses_column(self, opportunity: str) -> None:
        """An administrator's rule keeps the sync from writing its status, and a seller edits the deal."""
        message = "Sync Status (Sync_Status__c) is locked by finance."
        rule = ValidationRule("Opportunity", "Sync_Status__c", message, id=opportunity)
        self._systems.salesforce.org.hooks.rules.append(rule)
        self._systems.salesforce.edit("Opportunity", opportunity, {"StageName": "Closed Won"})

    def _seller_forgets_country(self) -> None:
        self._seller_creates("Relecloud", amount=21_000, country=None)

    def _rule_refuses_new_deal(self) -> None:
        """An administrator refuses deals whose name is still to be decided, and Microsoft sends one."""
        message = f"Opportunity Name (Name) must not contain {UNDECIDED}."
        self._add_rule(f'CONTAINS(Name, "{UNDECIDED}")', message, "Name")
        self._microsoft_sends("Tailwind Traders", 31_000, project=UNDECIDED)

    def _add_rule(self, formula: str, message: str, field: str = "") -> None:
        """Refuse every save of an opportunity for which the formula holds; `field` shows the message."""
        org = self._systems.salesforce.org
        org.hooks.formula_rules.append(rule_of_formula(org.model.get("Opportunity"), formula, message, field))

    def _microsoft_sends(self, customer: str, amount: int, project: str = "migration") -> str:
        return self._systems.partner_center.microsoft_sends(
            name=f"{customer} {project}", customerProfile={"name": customer}, details={"dealValue": amount}
        )

    def _nobody_answers(self) -> None:
        referral = self._microsoft_sends("VanArsdel", 18_000)
        until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        self._systems.partner_center.raw_patch(referral, {"/expirationDateTime": until})

    def _referral_of(self, opportunity: str) -> str:
        return str(self._systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"])


def _prepare(systems: Systems, host: Host) -> None:
    print("Twenty deals are being prepared.", flush=True)
    Trouble(systems, host).prepare()


def print_people(systems: Systems) -> None:
    """Print how to begin, and how to act as the people of both systems. What is wrong is for the reader to find."""
    print(f"\nSix of these twenty deals are in trouble. Mend them all with {PAGE}, in another terminal of this folder.")
    print("Run the first line above there, so that the shell finds cosell.")
    print("Begin with this command. While something is wrong, its exit code is 1:")
    print("cosell status --env local")
    print("\nWhere a remedy needs a person, act as they do. Put ids and values in place of those with capital letters.")
    for does, command in people_commands(systems):
        print(f"{does}:\n{command}")


def people_commands(systems: Systems) -> Iterator[tuple[str, str]]:
    """What people do in both systems, each with its whole command for the shell."""
    salesforce, partner_center = (f"{url}/_control" for url in (systems.salesforce_url, systems.partner.url))
    curl = "curl", "--cacert", systems.environ["CA_BUNDLE"]
    records = f"{salesforce}/records?sobject=Opportunity&id=OPPORTUNITY"
    yield (
        "A seller looks at an opportunity, with its AccountId and the names of its columns",
        shlex.join([*curl, records]),
    )
    for sobject, values in (("Opportunity", {"NextStep": "TEXT"}), ("Account", {"BillingCity": "TEXT"})):
        body = {"sobject": sobject, "id": sobject.upper(), "values": values}
        does = f"A seller edits an {sobject.lower()}; an empty value is null"
        yield does, serve.curl_command(systems, f"{salesforce}/edit", body)
    operations = [{"op": "replace", "path": "/details/dealValue", "value": 5000}]
    edit: dict[str, object] = {"referral_id": "REFERRAL", "operations": operations}
    does = "A colleague edits a referral in Partner Center (the path of its name is /name)"
    yield does, serve.curl_command(systems, f"{partner_center}/portal-edits", edit)
    rules = f"{salesforce}/validation_rule"
    yield "An administrator of Salesforce looks at the validation rules", shlex.join([*curl, rules])
    message = json.dumps({"message": "MESSAGE"})
    yield "and removes the one with this message", shlex.join([*curl, "-X", "DELETE", "-d", message, rules])


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit codes are those of `local.serve`."""
    scene = serve.Scene(SETTINGS, _prepare, print_people, LOG_FILE)
    return serve.main(argv, scene)


if __name__ == "__main__":
    sys.exit(main())
