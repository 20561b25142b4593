"""The schema of the Metadata API, from the description that simple-salesforce carries (reference/salesforce.md 5.9)."""

import copy
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
PREFIX = f"{{{NAMESPACE}}}"
_XSD = "{http://www.w3.org/2001/XMLSchema}"


class NotXml(ValueError):
    """A file that cannot be read as XML."""


def read(data: bytes) -> Any:  # noqa: ANN401 - lxml ships no types
    """The root of a document; no entity is resolved and nothing is fetched. Raises NotXml."""
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise NotXml(str(error)) from None


def write(root: Any) -> bytes:  # noqa: ANN401 - lxml ships no types
    """A document with its declaration."""
    made: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made


@lru_cache(maxsize=1)
def schema() -> Any:  # noqa: ANN401 - lxml ships no types
    """The schema, one root element for each type; 0.7 s at the first use."""
    source = next(s for s in etree.parse(str(_wsdl())).iter(_XSD + "schema") if s.get("targetNamespace") == NAMESPACE)
    names = {"xsd": _XSD[1:-1], "tns": NAMESPACE}
    root = etree.Element(_XSD + "schema", nsmap=names, targetNamespace=NAMESPACE, elementFormDefault="qualified")
    root.extend(copy.deepcopy(source))
    have = {element.get("name") for element in root.findall(_XSD + "element")}
    for name in sorted({kind.get("name") for kind in root.findall(_XSD + "complexType")} - have):
        etree.SubElement(root, _XSD + "element", name=name, type="tns:" + name)
    return etree.XMLSchema(root)


def _wsdl() -> Path:
    spec = find_spec("simple_salesforce")
    if spec is None or not spec.origin:
        raise FileNotFoundError("simple_salesforce is not installed")
    return Path(spec.origin).with_name("metadata.wsdl")


def mistakes(root: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - lxml ships no types
    """What the schema finds wrong with a document: texts and lines.

    The schema wants a component's elements by name, which the service does not mind: clients send them in other orders.
    """
    rules, root = schema(), copy.deepcopy(root)
    for component in (root, *root) if root.tag == f"{PREFIX}CustomObject" else (root,):
        component[:] = sorted(component, key=_in_schema_order)
    if rules.validate(root):
        return []
    return [(entry.message.replace(PREFIX, ""), entry.line) for entry in rules.error_log]


def _in_schema_order(element: Any) -> tuple[bool, str]:  # noqa: ANN401 - lxml ships no types
    return element.tag != f"{PREFIX}fullName", str(element.tag)
