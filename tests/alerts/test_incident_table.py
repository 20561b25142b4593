"""The page on Azure prints the table of incidents."""

from tests.alerts.incident_table import table_lines
from tests.unit.docs.docs_reader import DOCS


def test_the_page_on_azure_prints_the_table() -> None:
    page = (DOCS / "reference" / "azure.md").read_text(encoding="utf-8")
    assert "\n".join(table_lines()) in page
