"""Microsoft's parser finds no error in the queries of alert rules and workbook: syntax, functions, columns, types."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import AzureFiles

CHECKER_FOLDER = Path(__file__).parent / "kusto"

pytestmark = pytest.mark.node

BROKEN_QUERIES = {
    "an operator": "AppTraces | summarise count()",
    "a function": "AppTraces | extend X = tostrin(Message)",
    "a column": "AppTraces | where Mesage has 'x'",
    "a table": "AppTrace | take 1",
    "a bracket": "AppTraces | where (Message has 'x'",
    "a lost column": "AppTraces | summarize Value = count() | where Message has 'x'",
}


def alert_queries() -> dict[str, str]:
    files = AzureFiles()
    rules = files.resources_of_type("Insights/scheduledQueryRules")
    items = json.loads(files.read_text("workbook.json"))["items"]
    return {each.body["name"]: each.properties["criteria"]["allOf"][0]["query"] for each in rules} | {
        f"workbook: {each['name']}": each["content"]["query"] for each in items if "query" in each["content"]
    }


@pytest.fixture(scope="module")
def errors() -> dict[str, list[str]]:
    node = shutil.which("node")
    if node is None or not (CHECKER_FOLDER / "node_modules" / "@kusto").is_dir():
        pytest.skip("NOT RUN: Node.js or tests/conformance/kusto/node_modules is missing, so no query was checked")
    done = subprocess.run(  # noqa: S603 - our own script
        [node, str(CHECKER_FOLDER / "check_queries.cjs")],
        input=json.dumps(alert_queries() | BROKEN_QUERIES),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: dict[str, list[str]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", alert_queries())
def test_a_query_has_no_errors(errors: dict[str, list[str]], name: str) -> None:
    assert errors[name] == []


@pytest.mark.parametrize("name", BROKEN_QUERIES)
def test_the_parser_finds_an_error(errors: dict[str, list[str]], name: str) -> None:
    assert errors[name]
