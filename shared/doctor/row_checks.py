"""Check the rows of an opportunity that the mapping file reads: the solutions of a deal, and its team."""

from collections.abc import Iterator

from shared.clients.salesforce.records import Json
from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_field_checks import DEPLOY
from shared.foundation.errors import NotFound
from shared.mapping.solutions_field import SolutionsField

LOAD = "Run `cosell salesforce solutions FILE.csv` with the list of solutions from Partner Center."
ROW, CATALOGUE, MEMBER = "Cosell_Deal_Solution__c", "Cosell_Solution__c", "OpportunityTeamMember"
_KEYS = {ROW: "Key__c", CATALOGUE: "Solution_Id__c"}
_RIGHTS = {ROW: ("createable", "deletable"), CATALOGUE: ("createable", "updateable")}
"""What the sync does with the records: it never changes a row, and it deletes nothing from the catalogue."""


def check_solutions(installation: Installation) -> Verdict:
    """Check that the integration user may use the objects of solutions, if the mapping file reads them.

    In an org without them, such a mapping file holds new deals. Source:
    docs/salesforce-package.md#another-version-than-the-apps.
    """
    if not _reads(installation, ROW):
        return ok("the mapping file takes the solutions of a deal from a text field")
    faults: list[str] = []
    for sobject in (CATALOGUE, ROW):
        try:
            faults += _faults(installation, sobject, installation.describe_object(sobject))
        except NotFound:
            faults.append(f"the org has no object {sobject}, or the user may not see it")
    if faults:
        return failed("; ".join(faults), DEPLOY)
    if _are_picked(installation) and not _is_filled(installation):
        return failed(f"{CATALOGUE} has no active solution, so sellers can pick none", LOAD)
    return ok(f"{ROW} holds the solutions of a deal, and {CATALOGUE} the catalogue")


def _are_picked(installation: Installation) -> bool:
    """Whether sellers pick the solutions in the related list, and it does not only show them."""
    fields = installation.app.translation.file.fields.values()
    return any(isinstance(field, SolutionsField) and field.related_list for field in fields)


def _is_filled(installation: Installation) -> bool:
    active = f"SELECT Id FROM {CATALOGUE} WHERE Active__c = true LIMIT 1"  # noqa: S608 - a fixed name
    return bool(installation.salesforce.query(active).pages[0].records)


def check_team(installation: Installation) -> Verdict:
    """Tell whether the org has opportunity teams, if the mapping file reads them. It never fails."""
    if not _reads(installation, MEMBER):
        return ok("the mapping file reads no opportunity team")
    if not installation.org_shape.has(f"{MEMBER}.UserId"):
        return ok("the org has no opportunity teams, or the user may not see them: our team is the owner")
    return ok("our team is the owner and the opportunity team")


def _reads(installation: Installation, sobject: str) -> bool:
    """Whether the mapping file names a column of this object."""
    beginning = f"{sobject}.".casefold()
    paths = installation.app.translation.file.question.paths
    return any(path.casefold().startswith(beginning) for path in paths)


def _faults(installation: Installation, sobject: str, description: Json) -> Iterator[str]:
    key = installation.visible_fields(sobject).get(_KEYS[sobject].casefold())
    if key is None:
        yield f"{sobject}.{_KEYS[sobject]} does not exist, or the user may not see it"
    elif not (key.get("externalId") and key.get("unique")):
        yield f"{sobject}.{_KEYS[sobject]} is not both an external id and unique"
    yield from (f"{sobject}: records are not {right}" for right in _RIGHTS[sobject] if not description.get(right))
