"""docs/security.md gives each grant of the templates one line: who, which role, on what, and why no less serves."""

import re

from tests.unit.docs.docs_reader import section_text, table_cells
from tests.unit.infra.azure.checks_roles import (
    APP,
    CONTRIBUTORS,
    GRANTS_OF_APP,
    GRANTS_OF_GROUPS,
    GRANTS_OF_OPERATOR,
    INSIGHTS,
    OPERATOR,
    READERS,
    STORAGE,
    VAULT,
)

WHO = {"the app": APP, "the operator": OPERATOR, "tableReaderGroupId": READERS, "tableContributorGroupId": CONTRIBUTORS}
PLACES = {STORAGE: "storage account", VAULT: "vault", INSIGHTS: "Application Insights"}
"""What the page calls a resource that is the only one of its type. Others have their names."""


def title_of(role: str) -> str:
    """The name of a role as Azure shows it."""
    return " ".join(word.capitalize() for word in re.findall("[A-Za-z][a-z]*", role))


def test_the_page_about_security_has_a_line_with_a_reason_for_each_grant() -> None:
    who, lines = "", []
    for first, role, place, reason in table_cells(section_text("security.md", "Azure")):
        who = first.strip("`") or who
        if who in WHO:
            assert reason, f"{who}, {role}: no reason"
            lines.append((WHO[who], role, place.strip("`")))
    grants = GRANTS_OF_APP | GRANTS_OF_OPERATOR | GRANTS_OF_GROUPS
    expected = ((name, title_of(role), PLACES.get(on, on.split("/")[-1])) for name, role, on in grants)
    assert sorted(lines) == sorted(expected)
