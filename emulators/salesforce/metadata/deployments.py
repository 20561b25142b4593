"""Deployments: a zip is judged and, where nothing is wrong, becomes part of the org (reference/salesforce.md 5.8, 6.3).

The work is done when the zip arrives; a client sees it Pending, then InProgress, then done, a state each time it asks.
What the org keeps besides fields and rules (layouts, pages, list views, permission sets, translations) are documents.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.salesforce.data.errors import ApiError, malformed, not_allowed, not_found
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Record
from emulators.salesforce.data.validation_rules import rule_of
from emulators.salesforce.data.values import stamp
from emulators.salesforce.metadata.component_rules import Judge
from emulators.salesforce.metadata.package import BrokenPackage, Component, Problem, Unpacked, unpack
from emulators.salesforce.metadata.source_fields import field_of
from emulators.salesforce.metadata.xml_schema import PREFIX, read, write
from emulators.salesforce.rest.call import Call, Reply

NO_RIGHT = (
    "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
)
ID_PREFIX = "0Af"
POLLS = 2
"""How often a client asks until it hears that a deployment is done."""


@dataclass(slots=True)
class Job:
    """One deployment and how often its state was asked for."""

    id: str
    user: Record
    begun: str
    options: dict[str, bool]
    components: Sequence[Component]
    problems: Sequence[Problem]
    trouble: str = ""
    new: frozenset[tuple[str, str]] = frozenset()
    asked: int = 0


@dataclass(slots=True)
class Documents:
    """What the org keeps of its metadata as XML, by type and full name."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put(self, component: Component) -> None:
        """Keep a component; one of the same name is replaced whole."""
        root = read(write(component.element))
        # A part of an object travels under the name of its place there; kept alone it is named by its type.
        root.tag = PREFIX + component.type
        self.kept[component.type, component.full_name] = write(root)

    def names(self, type_name: str) -> list[str]:
        """The full names of one type."""
        return sorted(name for kind, name in self.kept if kind == type_name)

    def read_only_fields(self, sobject: str) -> set[str]:
        """Fields that people may see and not edit, as the permission sets without a licence have it."""
        found: set[str] = set()
        sets = (read(data) for (kind, _), data in self.kept.items() if kind == "PermissionSet")
        for entry in (
            e for root in sets if not root.findtext("{*}license") for e in root.findall("{*}fieldPermissions")
        ):
            owner, _, name = entry.findtext("{*}field").partition(".")
            if owner == sobject and entry.findtext("{*}editable") == "false":
                found.add(name)
        return found


def standing_documents() -> Documents:
    """The page layouts that an org has from its first day."""
    layout = Path(__file__).with_name("standard_layout.xml").read_bytes()
    names = ("Opportunity-Opportunity Layout", "Opportunity-Opportunity %28Sales%29 Layout")
    return Documents({("Layout", name): layout for name in names})


class Deployments:
    """All deployments of the org."""

    def __init__(self, org: Org, documents: Documents) -> None:
        """Nobody but an administrator may deploy: `users` are their ids. `languages` are those of Setup."""
        self.org, self.documents = org, documents
        self.users: set[str] = set()
        self.languages: frozenset[str] = frozenset()
        self.jobs: dict[str, Job] = {}

    def check_right(self, user: str) -> None:
        """Raises ApiError."""
        if user not in self.users:
            raise ApiError(403, "INSUFFICIENT_ACCESS", NO_RIGHT)

    def rest(self, call: Call, body: bytes) -> Reply:
        """`POST /metadata/deployRequest` and `GET /metadata/deployRequest/ID`. Raises ApiError."""
        self.check_right(call.user)
        match call.parts[1:]:
            case ("deployRequest",):
                if call.method != "POST":
                    raise not_allowed(call.method, "POST")
                data, options = _parts(body, call.headers.get("content-type", ""))
                job = self.deploy(data, options, call.user)
                return Reply(
                    201, {"id": job.id, "deployOptions": job.options, "deployResult": self.told(job, details=False)}
                )
            case ("deployRequest", identifier):
                if call.method != "GET":
                    raise not_allowed(call.method, "GET")
                details = call.query.get("includeDetails") == "true"
                return Reply(200, {"id": identifier, "deployResult": self.asked(identifier, details=details)})
        raise not_found()

    # --- what REST and SOAP share

    def deploy(self, data: bytes, options: dict[str, bool], user: str) -> Job:
        """Judge a zip, and unless it is a check or something is wrong, make it part of the org."""
        identifier = self.org.ids.next(ID_PREFIX)
        who = self.org.alive("User", user)
        now = stamp(self.org.now().replace(microsecond=0))
        try:
            found = unpack(data)
        except BrokenPackage as error:
            job = Job(identifier, who, now, options, (), (), str(error))
        else:
            good, problems = self._judged(found)
            new = frozenset((c.type, c.full_name) for c in good if not self._is_there(c))
            job = Job(identifier, who, now, options, found.components, problems, new=new)
            failed = any(not problem.warning for problem in problems)
            if not options.get("checkOnly") and not (failed and options.get("rollbackOnError", True)):
                self.install(good)
        self.jobs[identifier] = job
        return job

    def asked(self, identifier: str, *, details: bool) -> dict[str, Any]:
        """The state of a deployment, one step further each time. Raises ApiError."""
        job = self.jobs.get(identifier) or next((j for j in self.jobs.values() if j.id[:15] == identifier), None)
        if job is None:
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        job.asked += 1
        return self.told(job, details=details)

    def told(self, job: Job, *, details: bool) -> dict[str, Any]:
        """What the service says of a deployment."""
        failures = [problem for problem in job.problems if not problem.warning]
        done, total = job.asked >= POLLS, len(job.components)
        success = done and not failures and not job.trouble
        result = {
            "id": job.id, "checkOnly": job.options.get("checkOnly", False), "done": done,
            "status": ("Succeeded" if success else "Failed") if done else ("InProgress" if job.asked else "Pending"),
            "success": success, "createdBy": job.user["Id"][:15], "createdByName": job.user["Name"],
            "createdDate": job.begun, "startDate": job.begun, "lastModifiedDate": job.begun, "ignoreWarnings": False,
            "numberComponentErrors": len(failures) if done else 0, "numberComponentsTotal": total if job.asked else 0,
            "numberComponentsDeployed": (total if success else 0) if done else job.asked * total // 2,
            "numberTestErrors": 0, "numberTestsCompleted": 0, "numberTestsTotal": 0, "runTestsEnabled": False,
            "rollbackOnError": job.options.get("rollbackOnError", True),
        }  # fmt: skip
        if done:
            result["completedDate"] = job.begun
            result |= {"errorMessage": job.trouble, "errorStatusCode": "UNKNOWN_EXCEPTION"} if job.trouble else {}
        if details:
            result["details"] = _details(job) if done else {"componentSuccesses": [], "componentFailures": []}
        return result

    def install(self, components: Sequence[Component]) -> None:
        """Make components part of the org."""
        for component in components:
            if component.type == "CustomField":
                self.org.put_field(component.parent, field_of(component.element))
            elif component.type == "ValidationRule":
                definition = self.org.model.get(component.parent)
                self.org.rules[component.full_name] = rule_of(definition, component.element)
            self.documents.put(component)

    def _judged(self, found: Unpacked) -> tuple[list[Component], list[Problem]]:
        judge, problems, good = Judge(self.org, self.languages), list(found.problems), []
        for component in found.components:
            texts = judge.problems(component)
            problems += (Problem(component.type, component.full_name, component.file, t, component.line) for t in texts)
            if not texts:
                good.append(component)
        return good, problems

    def _is_there(self, component: Component) -> bool:
        if component.type == "CustomField":
            return self.org.model.get(component.parent).find(component.full_name.partition(".")[2]) is not None
        return (component.type, component.full_name) in self.documents.kept


def _details(job: Job) -> dict[str, Any]:
    failed = {(problem.type, problem.full_name) for problem in job.problems if not problem.warning}
    good = [c for c in job.components if (c.type, c.full_name) not in failed]
    manifest = {
        "componentType": "", "fullName": "package.xml", "fileName": "package.xml", "success": True, "created": False,
        "changed": True, "deleted": False, "createdDate": job.begun,
    }  # fmt: skip
    return {
        "componentSuccesses": [manifest, *(_success(job, component) for component in good)],
        "componentFailures": [_failure(job, problem) for problem in job.problems],
        "runTestResult": {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0},
    }


def _success(job: Job, component: Component) -> dict[str, Any]:
    created = (component.type, component.full_name) in job.new
    return {
        "componentType": component.type, "fullName": component.full_name, "fileName": component.file, "success": True,
        "created": created, "changed": not created, "deleted": False, "createdDate": job.begun,
    }  # fmt: skip


def _failure(job: Job, problem: Problem) -> dict[str, Any]:
    return {
        "componentType": problem.type, "fullName": problem.full_name, "fileName": problem.file, "success": False,
        "created": False, "changed": False, "deleted": False, "createdDate": job.begun, "problem": problem.text,
        "problemType": "Warning" if problem.warning else "Error", "lineNumber": problem.line, "columnNumber": 1,
    }  # fmt: skip


def _parts(body: bytes, content_type: str) -> tuple[bytes, dict[str, bool]]:
    """The zip and the options of a multipart request. Raises ApiError."""
    _, _, boundary = content_type.partition("boundary=")
    if not content_type.startswith("multipart/form-data") or not boundary:
        raise ApiError(
            415, "UNSUPPORTED_MEDIA_TYPE", "The content type of the request is not supported by this resource"
        )
    found: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary.strip('"').encode()):
        head, _, data = part.partition(b"\r\n\r\n")
        for name in ("file", "entity_content"):
            if b'name="' + name.encode() + b'"' in head:
                found[name] = data.removesuffix(b"\r\n")
    try:
        return found["file"], dict(json.loads(found["entity_content"])["deployOptions"])
    except (KeyError, ValueError, TypeError) as error:
        raise malformed("The request has a part entity_content with deployOptions, and a part file") from error
