"""Parse XML, and validate it by the schema of the Metadata API that simple-salesforce carries.

The method: docs/reference/salesforce.md#validation-without-an-org.
"""

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
    """The data cannot be read as XML."""


def parse_xml(data: bytes) -> Any:  # noqa: ANN401 - lxml ships no types
    """The root of a document, without resolving entities or fetching anything. Raises NotXml."""
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise NotXml(str(error)) from None


def serialize_xml(root: Any) -> bytes:  # noqa: ANN401 - lxml ships no types
    """The document of a root, with an XML declaration."""
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data


@lru_cache(maxsize=1)
def metadata_schema() -> Any:  # noqa: ANN401 - lxml ships no types
    """The schema, with a root element for each type. The first call takes 0.7 s."""
    wsdl = etree.parse(str(_wsdl_path()))
    source = next(each for each in wsdl.iter(_XSD + "schema") if each.get("targetNamespace") == NAMESPACE)
    names = {"xsd": _XSD[1:-1], "tns": NAMESPACE}
    root = etree.Element(_XSD + "schema", nsmap=names, targetNamespace=NAMESPACE, elementFormDefault="qualified")
    root.extend(copy.deepcopy(source))
    existing = {element.get("name") for element in root.findall(_XSD + "element")}
    for name in sorted({kind.get("name") for kind in root.findall(_XSD + "complexType")} - existing):
        etree.SubElement(root, _XSD + "element", name=name, type="tns:" + name)
    return etree.XMLSchema(root)


def _wsdl_path() -> Path:
    spec = find_spec("simple_salesforce")
    if spec is None or not spec.origin:
        raise FileNotFoundError("simple_salesforce is not installed")
    return Path(spec.origin).with_name("metadata.wsdl")


def schema_errors(root: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - lxml ships no types
    """The texts and lines of everything in a document that the schema forbids.

    The schema requires the elements of a component in order. The service does not, and clients use other orders, so
    the elements are sorted first.
    """
    rules, root = metadata_schema(), copy.deepcopy(root)
    for component in (root, *root) if root.tag == f"{PREFIX}CustomObject" else (root,):
        component[:] = sorted(component, key=_schema_order)
    if rules.validate(root):
        return []
    return [(entry.message.replace(PREFIX, ""), entry.line) for entry in rules.error_log]


def _schema_order(element: Any) -> tuple[bool, str]:  # noqa: ANN401 - lxml ships no types
    return element.tag != f"{PREFIX}fullName", str(element.tag)
