"""The syntax trees of queries, as Microsoft's own parser reads them (tests/conformance/kusto)."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "conformance" / "kusto"

type Tree = list[Any]
"""A node: its kind, then its children. Of a token: its kind, then its text. An absent child is None."""


def trees_of(queries: Mapping[str, str]) -> dict[str, Tree]:
    """The tree of each query; where the parser finds an error, `["Error", message, …]`. Skips without Node.js."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "@kusto").is_dir():
        pytest.skip("NOT RUN: Node.js or tests/conformance/kusto/node_modules is missing, so no alert was played")
    done = subprocess.run(  # noqa: S603 - our own script
        [node, str(FOLDER / "print_trees.cjs")],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    trees: dict[str, Tree] = json.loads(done.stdout)
    return trees
