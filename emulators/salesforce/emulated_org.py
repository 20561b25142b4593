"""One emulated org: its records, sessions and deployments, and the actions of the people who work in it.

`SalesforceEmulator` adds the service to it, and the control API calls the same actions.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from emulators.base.emulator import Emulator
from emulators.salesforce.client_apps import App, AppRecords, load_public_key
from emulators.salesforce.data.errors import not_found
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.permissions import Rights
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.values import field_reader, format_stamp
from emulators.salesforce.metadata.component_xml import field_from_xml
from emulators.salesforce.metadata.deployments import Deployments
from emulators.salesforce.metadata.documents import documents_of_new_org
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.permission_sets import rights_of_sets
from emulators.salesforce.metadata.source_project import PROJECT, field_documents, load_components, load_model
from emulators.salesforce.metadata.xml_schema import parse_xml
from emulators.salesforce.oauth import OAuth
from emulators.salesforce.org_setup import Founding, found_org
from emulators.salesforce.rest.call import RestContext
from emulators.salesforce.rest.routes import RestApi


class EmulatedOrg(Emulator):
    """An org with its people. `public_url` is its address as clients know it.

    Without `public_url` the address is https with the `Host` header of each request.
    """

    def __init__(
        self,
        seed: int = 0,
        metadata: Path = PROJECT,
        *,
        multi_currency: bool = True,
        bare: bool = False,
        max_requests: int = 100_000,
        public_url: str | None = None,
    ) -> None:
        """`metadata` is a source project, installed unless `bare`; `max_requests` is the daily allowance of calls.

        Without `multi_currency` every amount is in US dollars, and no object has a currency column. The project and
        the switches are attributes too; they take effect when the first day begins again.
        """
        super().__init__(seed=seed)
        self.public_url = public_url
        self.metadata = metadata
        self.multi_currency, self.bare = multi_currency, bare
        self._max_requests = max_requests
        self.oauth = OAuth(self.clock.now, self._find_user, lambda: self.organization)
        self.reset_state()

    def reset_state(self) -> None:
        """Begin the org's first day again: its users and settings, no deals. Registered apps stay."""
        model = load_model(self.metadata, multi_currency=self.multi_currency, bare=self.bare)
        self.org = Org(model, self.clock.now, self.seed)
        self.founding: Founding = found_org(self.org, multi_currency=self.multi_currency)
        self.deployments = Deployments(self.org, documents_of_new_org())
        self.deployments.users.add(self.founding.administrator)
        if not self.bare:
            self.deployments.install(load_components(self.metadata))
            self.deployments.documents.kept |= field_documents(self.metadata)
        self.permission_sets: dict[str, tuple[str, ...]] = {}  # the names by user id; users not in it have all rights
        self.org.rights_of = self._rights_of
        self.org.sharing.administrators.add(self.founding.administrator)
        self.org.setup_viewers.add(self.founding.administrator)
        self.rest = RestApi(RestContext(self.org, self.add_tag), self._max_requests)
        self.oauth.end_sessions(self.seed)
        self.lag = timedelta()
        self._app_records = AppRecords(self.org)
        for app in self.oauth.apps.values():
            self._show_app(app)

    @property
    def organization(self) -> str:
        """The org's 18-character id."""
        return self.founding.organization

    @property
    def seller(self) -> str:
        """The id of the user who makes the edits, unless a call names another user."""
        return self.founding.seller

    @property
    def automated(self) -> str:
        """The id of the org's own user, as whom scheduled flows and platform events save. Made at its first use.

        The user can never sign in (docs/reference/salesforce.md#users-that-are-no-people).
        """
        with self.lock:
            return self._ensure_user("autoproc@example", LastName="Process", UserType="AutomatedProcess")

    # --- people

    def insert(self, sobject: str, values: Mapping[str, Any], *, user: str | None = None) -> str:
        """Create a record as a person does, or one that belongs to Setup as an administrator does. Raises ApiError."""
        with self._user_transaction():
            return self.org.insert(self.org.model.get(sobject).name, values, user or self.seller)

    def edit(self, sobject: str, record_id: str, values: Mapping[str, Any], *, user: str | None = None) -> None:
        """Change a record as a person does, under the same checks as the API. Raises ApiError."""
        with self._user_transaction():
            name = self.org.model.get(sobject).name
            self.org.update(name, self._canonical_or_same(record_id), values, user or self.seller)

    def set_line_items(self, opportunity: str, amount: float | None = None, *, present: bool = True) -> None:
        """Add or change line items with this sum as the seller does, or remove all of them. Raises ApiError."""
        values = {"HasOpportunityLineItem": present, **({"Amount": amount} if amount is not None else {})}
        with self._user_transaction():
            self.org.update("Opportunity", self._canonical_or_same(opportunity), values, self.seller, system=True)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record as the seller does. Raises ApiError."""
        with self._user_transaction():
            self.org.delete(self.org.model.get(sobject).name, self._canonical_or_same(record_id), self.seller)

    def undelete(self, sobject: str, record_id: str) -> None:
        """Restore a record from the recycle bin as the seller does. Raises ApiError."""
        with self._user_transaction():
            self.org.undelete(self.org.model.get(sobject).name, self._canonical_or_same(record_id), self.seller)

    def clone(self, sobject: str, record_id: str, values: Mapping[str, Any] | None = None) -> str:
        """Clone a record as the seller does in the browser, with `values` changed in the form. Raises ApiError.

        The copy lacks the fields that the seller may not edit. Returns its id.
        """
        with self._user_transaction():
            definition = self.org.model.get(sobject)
            record = self.org.existing_record(definition.name, self._canonical_or_same(record_id))
            read_only = self.deployments.documents.read_only_fields(definition.name)
            copied = {
                field.name: record[field.name]
                for field in definition.fields.values()
                if field.writable and field.name not in read_only
            }
            self.org.is_cloning = True
            try:
                return self.org.insert(definition.name, copied | dict(values or {}), self.seller)
            finally:
                self.org.is_cloning = False

    # --- administrators

    def register_connected_app(
        self, consumer_key: str, certificate_or_public_key_pem: str | bytes, username: str
    ) -> str:
        """Let a client sign in as `username`, and create that user if new. Returns the user's id. Raises ValueError."""
        with self.lock:
            app = self.oauth.apps[consumer_key] = App(load_public_key(certificate_or_public_key_pem), [username])
            return self._show_app(app)[username]

    def register_browser_app(self, consumer_key: str, callbacks: tuple[str, ...], usernames: Sequence[str]) -> None:
        """Add an app without certificate and secret, with which these users sign in by the browser."""
        with self.lock:
            app = self.oauth.apps[consumer_key] = App(None, [*usernames], callbacks, name="Cosell Setup")
            self._show_app(app)

    def admit_user(self, consumer_key: str, username: str) -> None:
        """Let an app admit one more user. Raises KeyError."""
        with self.lock:
            self.oauth.apps[consumer_key].usernames.append(username)
            self._show_app(self.oauth.apps[consumer_key])

    def backdate_users(self, moment: datetime) -> None:
        """Let the users of this new org have been saved last at a moment: its clock may be set to before they were."""
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), format_stamp(moment))
        for user in list(self.org.stored_records("User")):
            self.org.put("User", user["Id"], user | stamps)

    def set_currency_active(self, code: str, *, active: bool) -> None:
        """Activate or deactivate a currency. Records that have an inactive one keep it. Raises StopIteration."""
        with self.lock:
            found = next(each for each in self.org.stored_records("CurrencyType") if each["IsoCode"] == code)
            self.org.update("CurrencyType", found["Id"], {"IsActive": active}, self.founding.administrator)
            self.org.clear_undo_log()

    def set_sandbox(self, *, on: bool) -> None:
        """Let the organisation's own record say that it is a sandbox, or that it is none."""
        with self.lock:
            self.org.update("Organization", self.organization, {"IsSandbox": on}, self.founding.administrator)
            self.org.clear_undo_log()

    def make_field(self, sobject: str, xml: str) -> None:
        """Make or change a field by hand in Setup; `xml` is a CustomField element. Raises MetadataError."""
        with self.lock:
            name, element = self.org.model.get(sobject).name, parse_xml(xml.encode())
            field = field_from_xml(element)
            self.org.put_field(name, field)
            self.deployments.documents.put(Component("CustomField", f"{name}.{field.name}", "", element))
            if field.required:
                self.deployments.documents.require_on_layouts(name, field.name)

    # --- reading

    def record(self, sobject: str, record_id: str) -> Record:
        """A copy of a record, deleted or not, with its formula fields. Raises ApiError (404)."""
        with self.lock:
            definition = self.org.model.get(sobject)
            record = self.org.stored_record(definition.name, self._canonical_or_same(record_id))
            if record is None:
                raise not_found()
            return _with_formulas(definition, record)

    def records(self, sobject: str) -> list[Record]:
        """Copies of all records that are not deleted, with their formula fields, oldest first."""
        with self.lock:
            definition = self.org.model.get(sobject)
            stored = self.org.stored_records(definition.name)
            return [_with_formulas(definition, each) for each in stored if not each["IsDeleted"]]

    def _rights_of(self, user: str) -> Rights | None:
        names = self.permission_sets.get(user)
        return None if names is None else rights_of_sets(self.deployments.documents, names)

    @contextmanager
    def _user_transaction(self) -> Iterator[None]:
        """Save as a person does. If `lag` is set, the change becomes visible that much later than its stamp."""
        with self.lock:
            self.org.commit_lag = self.lag or None
            try:
                yield
            finally:
                self.org.commit_lag = None
                self.org.clear_undo_log()

    @staticmethod
    def _canonical_or_same(text: str) -> str:
        return canonical_id(text) or text

    def _find_user(self, username: str) -> Record | None:
        folded = username.casefold()
        return next((u for u in self.org.stored_records("User") if u["Username"].casefold() == folded), None)

    def _show_app(self, app: App) -> dict[str, str]:
        """Make the records of an app and its users; returns the users' ids by user name."""
        user_ids = {username: self._ensure_user(username) for username in app.usernames}
        self._app_records.show(app, user_ids)
        self.org.clear_undo_log()
        return user_ids

    def _ensure_user(self, username: str, **values: str) -> str:
        user = self._find_user(username)
        if user:
            return str(user["Id"])
        default = {"Username": username, "LastName": "Integration", "Email": "integration@example.com"}
        return self.org.insert("User", default | values, self.founding.administrator)


def _with_formulas(definition: SObject, record: Record) -> Record:
    return {field.name: field_reader(definition, field)(record) for field in definition.fields.values()}
