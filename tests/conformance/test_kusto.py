"""Microsoft's reader of the query language judges alert rules and workbook: syntax, functions, columns and types."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import AzureFiles

JUDGE = Path(__file__).parent / "kusto"

pytestmark = pytest.mark.node

BROKEN = {
    "an operator": "AppTraces | summarise count()",
    "a function": "AppTraces | extend X = tostrin(Message)",
    "a column": "AppTraces | where Mesage has 'x'",
    "a table": "AppTrace | take 1",
    "a bracket": "AppTraces | where (Message has 'x'",
    "a lost column": "AppTraces | summarize Value = count() | where Message has 'x'",
}


def queries() -> dict[str, str]:
    files = AzureFiles()
    rules = files.resources_of_type("Insights/scheduledQueryRules")
    items = json.loads(files.read_text("workbook.json"))["items"]
    return {each.body["name"]: each.properties["criteria"]["allOf"][0]["query"] for each in rules} | {
        f"workbook: {each['name']}": each["content"]["query"] for each in items if "query" in each["content"]
    }


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    node = shutil.which("node")
    if node is None or not (JUDGE / "node_modules" / "@kusto").is_dir():
        pytest.skip("SKIPPED: Node.js or tests/conformance/kusto/node_modules is not there, so no query was read")
    done = subprocess.run(  # noqa: S603 - our own script
        [node, str(JUDGE / "check_queries.cjs")],
        input=json.dumps(queries() | BROKEN),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: dict[str, list[str]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", queries())
def test_a_query_is_one(said: dict[str, list[str]], name: str) -> None:
    assert said[name] == []


@pytest.mark.parametrize("name", BROKEN)
def test_the_judge_sees_a_fault(said: dict[str, list[str]], name: str) -> None:
    assert said[name]
