"""Connect the client of the Metadata API to a bare emulated org, without sockets."""

from pathlib import Path

import requests

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import MetadataClient
from shared.clients.salesforce.source_format import Package, package_folders, read_source
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

SOURCE_PROJECT = Path(__file__).parents[4] / "infra" / "salesforce"
STANDARD_LAYOUT = "Opportunity-Opportunity Layout"


def product_package() -> Package:
    return read_source(*package_folders(SOURCE_PROJECT))


class EmulatedOrg:
    """An emulated org, and a client whose pauses are recorded in `slept` and not spent."""

    def __init__(self, org: SalesforceEmulator, fake: FakeSalesforce, salesforce: SalesforceClient) -> None:
        self.emulator, self.fake, self.salesforce = org, fake, salesforce
        self.slept: list[float] = []
        self.sign_in(org.founding.administrator)
        fake.respond = self.respond
        self.client = MetadataClient(salesforce.connection, sleep=self.slept.append, monotonic=lambda: sum(self.slept))

    def sign_in(self, user: str) -> None:
        self.fake.grant = lambda _: self.fake.token_answer(access_token=self.emulator.oauth.issue_session_id(user))

    def respond(self, request: Request) -> Response:
        answer = self.emulator.handle(request)
        if answer.close:
            raise requests.ConnectionError("reset")
        return answer

    def journal_tags(self) -> list[str]:
        return [entry.tags[0] for entry in self.emulator.journal if entry.tags]
