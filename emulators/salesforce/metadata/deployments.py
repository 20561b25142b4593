"""Deploy a zip: check its components and, if nothing is wrong, make them part of the org.

Custom objects, fields and validation rules take effect on records. Everything else is kept as a document.
Both interfaces use this module: docs/reference/salesforce.md#rest-deployment and
docs/reference/salesforce.md#soap-operations.
"""

from collections.abc import Sequence
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.sharing import group_names
from emulators.salesforce.data.values import format_stamp
from emulators.salesforce.metadata.apex_tests import ApexTests, run_tests
from emulators.salesforce.metadata.component_rules import ComponentChecker
from emulators.salesforce.metadata.component_xml import field_from_xml, object_from_xml, rule_from_xml
from emulators.salesforce.metadata.deploy_results import Job, deploy_result
from emulators.salesforce.metadata.documents import Documents
from emulators.salesforce.metadata.package import BrokenPackage, Component, Problem, UnpackedZip, unpack_zip
from emulators.salesforce.metadata.sharing_rules import read_sharing_rules
from emulators.salesforce.metadata.xml_schema import PREFIX, parse_xml

FLOWS = "FlowDefinitionView"
LANGUAGES = "Translation"
NOTIFICATIONS = "CustomNotificationType"
ACCESS_REFUSED = (
    "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
)
ID_PREFIX = "0Af"
_ROLLBACK_NEEDED = "rollbackOnError must be true in production organizations"
FLOW_VERSION_PREFIX = "301"


class Deployments:
    """All deployments of the org. `users` holds the ids of those who may deploy and retrieve.

    `languages` are those of the Translation Workbench; the set is empty while the workbench is off. A `production` org
    has rules of its own; `activates_flows` is its setting to deploy processes and flows as active. `tests` are the Apex
    tests of the org.
    """

    def __init__(self, org: Org, documents: Documents) -> None:
        """Start without deployments; nobody may deploy yet."""
        self.org, self.documents = org, documents
        self.users: set[str] = set()
        self._languages: frozenset[str] = frozenset()
        self.jobs: dict[str, Job] = {}
        self.production, self.activates_flows = False, False
        self.tests = ApexTests()

    @property
    def languages(self) -> frozenset[str]:
        """The languages that are on."""
        return self._languages

    @languages.setter
    def languages(self, languages: frozenset[str]) -> None:
        for each in list(self.org.stored_records(LANGUAGES)):
            self.org.put(LANGUAGES, each["Id"], each | {"IsActive": each["Language"] in languages})
        for code in sorted(languages - {each["Language"] for each in self.org.stored_records(LANGUAGES)}):
            self.org.insert(LANGUAGES, {"Language": code, "IsActive": True}, "")
        self.org.clear_undo_log()
        self._languages = languages

    def check_right(self, user: str) -> None:
        """Raise ApiError (403) unless this user may deploy."""
        if user not in self.users:
            raise ApiError(403, "INSUFFICIENT_ACCESS", ACCESS_REFUSED)

    def deploy(self, data: bytes, options: dict[str, Any], user: str) -> Job:
        """Check a zip. Install it, unless `checkOnly` is set, or a part failed and `rollbackOnError` is set.

        Raises ApiError if the org does not take the options.
        """
        tests = run_tests(self.tests, options, production=self.production)
        if self.production and not options.get("rollbackOnError", True):
            raise ApiError(400, "INVALID_OPERATION", _ROLLBACK_NEEDED)
        identifier = self.org.ids.next_id(ID_PREFIX)
        user_record = self.org.existing_record("User", user)
        now = format_stamp(self.org.now().replace(microsecond=0))
        try:
            unpacked = unpack_zip(data)
        except BrokenPackage as error:
            job = Job(identifier, user_record, now, options, (), (), tests, str(error))
        else:
            correct, problems = self._check_components(unpacked)
            new = frozenset((each.type, each.full_name) for each in correct if not self._exists(each))
            job = Job(identifier, user_record, now, options, unpacked.components, problems, tests, new=new)
            failed = any(not problem.warning for problem in problems) or not tests.is_good
            if not options.get("checkOnly") and not (failed and options.get("rollbackOnError", True)):
                self.install(correct)
        self.jobs[identifier] = job
        return job

    def poll(self, identifier: str, *, with_details: bool) -> dict[str, Any]:
        """Move a deployment one step further and return its state. Raises ApiError."""
        job = self.jobs.get(identifier) or next((j for j in self.jobs.values() if j.id[:15] == identifier), None)
        if job is None:
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        job.polls += 1
        return deploy_result(job, with_details=with_details)

    def install(self, components: Sequence[Component]) -> None:
        """Make components part of the org, without any check."""
        self.org.schema_changed_at = self.org.now()
        for component in components:
            if component.type == "CustomObject" and self.org.model.find_object(component.full_name) is None:
                self.org.add_object(object_from_xml(component.full_name, component.element, self.org.model))
            elif component.type == "CustomField":
                self.org.put_field(component.parent, field_from_xml(component.element))
            elif component.type == "ValidationRule":
                definition = self.org.model.get(component.parent)
                self.org.deployed_rules[component.full_name] = rule_from_xml(definition, component.element)
            elif component.type == "Flow":
                self._install_flow(component)
            elif component.type == "CustomNotificationType":
                self._install_notification_type(component)
            elif component.type == "Group":
                self._install_group(component)
            elif component.type == "SharingRules":
                rules = read_sharing_rules(component, self.org.model.get(component.full_name))
                self.org.sharing.rules.update(rules)
            self.documents.put(component)

    def _install_notification_type(self, component: Component) -> None:
        """Make or change the record that clients find the type by."""
        columns = {"CustomNotifTypeName": "customNotifTypeName", "MasterLabel": "masterLabel"}
        values: dict[str, Any] = {column: component.first_text(name) for column, name in columns.items()}
        values |= {name: component.first_text(name.lower()) == "true" for name in ("Desktop", "Mobile")}
        values |= {"Description": component.first_text("description") or None}
        known = (
            each for each in self.org.stored_records(NOTIFICATIONS) if each["DeveloperName"] == component.full_name
        )
        if record := next(known, None):
            self.org.update(NOTIFICATIONS, record["Id"], values, "")
        else:
            self.org.insert(NOTIFICATIONS, {"DeveloperName": component.full_name, **values}, "")

    def _install_group(self, component: Component) -> None:
        """Make a public group, without members. A client adds those as records."""
        if component.full_name not in group_names(self.org):
            values = {"DeveloperName": component.full_name, "Name": component.first_text("name")}
            self.org.insert("Group", values, "")

    def _install_flow(self, component: Component) -> None:
        """Add a version of a flow. Production takes an active one as a draft, unless its setting is on.

        The version that was active in production stays active beside the draft.
        """
        status = component.element.find(f"{PREFIX}status")
        flows = (each for each in self.org.stored_records(FLOWS) if each["ApiName"] == component.full_name)
        known, version = next(flows, None), self.org.ids.next_id(FLOW_VERSION_PREFIX)
        active = version if status is not None and status.text == "Active" else None
        if status is not None and self.production and not self.activates_flows:
            status.text, active = "Draft", known["ActiveVersionId"] if known else None
        values = {"IsActive": active == version, "ActiveVersionId": active, "LatestVersionId": version}
        values["Label"] = component.first_text("label")
        if known:
            self.org.update(FLOWS, known["Id"], values, "")
        else:
            self.org.insert(FLOWS, {"ApiName": component.full_name, **values}, "")

    def activate_flow(self, name: str) -> None:
        """Activate the latest version of a flow, as an administrator does in Setup. Raises ValueError."""
        known = next((each for each in self.org.stored_records(FLOWS) if each["ApiName"] == name), None)
        if known is None:
            raise ValueError(f"no flow has the name {name}")
        values = {"IsActive": True, "ActiveVersionId": known["LatestVersionId"]}
        self.org.update(FLOWS, known["Id"], values, "")
        self.org.clear_undo_log()
        root = parse_xml(self.documents.kept["Flow", name])
        root.find(f"{PREFIX}status").text = "Active"
        self.documents.put(Component("Flow", name, "", root))

    def _check_components(self, unpacked: UnpackedZip) -> tuple[list[Component], list[Problem]]:
        """The components without a problem, and all problems, those of the zip first."""
        tabs = self.documents.names("CustomTab")
        checker = ComponentChecker(self.org, self.languages, tabs, unpacked.components)
        problems, correct = list(unpacked.problems), list[Component]()
        for each in unpacked.components:
            texts = checker.find_problems(each)
            problems += (Problem(each.type, each.full_name, each.file, text, each.line) for text in texts)
            if not texts:
                correct.append(each)
        return correct, problems

    def _exists(self, component: Component) -> bool:
        sobject = self.org.model.find_object(component.parent)
        if component.type == "CustomObject":
            return sobject is not None
        if component.type == "CustomField":
            return sobject is not None and sobject.find_field(component.full_name.partition(".")[2]) is not None
        return (component.type, component.full_name) in self.documents.kept
