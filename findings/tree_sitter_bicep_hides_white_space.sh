#!/usr/bin/env bash
# tree-sitter-bicep has no node for white space that stands alone before an interpolation: the text of the string is lost.
#
# Versions  tree-sitter-bicep 1.1.0 and tree-sitter 0.26.1 (PyPI), Python 3.13
# Tried     2026-12-03
# One would guess   that a string's text is that of its `string_content` nodes, as the blank of 'one ${a}' is, and that the
#                   token `${` is two characters long
# Behaviour         in '${a} ${b}' and ' ${a}' the blank belongs to the token `${`, which then is ` ${`, and there is no
#                   error node. Who joins content and values of '${given} ${family}' gets AdaLovelace. White space beside
#                   other text ('one ${a}', '${a} ,${b}') has its node.
# Needs     bash, Python 3.13 or later. Exit status: 0 while this holds, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-bicep==1.1.0
cat > look.py <<'PY'
import tree_sitter, tree_sitter_bicep

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))

def parts(text):
    root = PARSER.parse(f"var x = {text}\n".encode()).root_node
    assert not root.has_error
    string = root.named_children[0].named_children[-1]
    for child in string.named_children:
        opening = child.children[0].text if child.type == "interpolation" else b""
        yield child.type, (opening or child.text).decode()

LONE = {
    "'${a} ${b}'": [("interpolation", "${"), ("interpolation", " ${")],
    "' ${a}'": [("interpolation", " ${")],
}
BESIDE = {
    "'one ${a}'": [("string_content", "one "), ("interpolation", "${")],
    "'${a} ,${b}'": [("interpolation", "${"), ("string_content", " ,"), ("interpolation", "${")],
}
for text, expected in {**LONE, **BESIDE}.items():
    found = list(parts(text))
    print(f"{text:14} {found}")
    assert found == expected, f"changed: expected {expected}"
PY
env/bin/python look.py || exit 1
