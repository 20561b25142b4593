"""XML in the namespace of the Metadata API: reading, writing, and the few shapes that every module here needs."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_PREFIX = f"{{{NAMESPACE}}}"


def qualified_name(name: str) -> str:
    """A name in the namespace of the Metadata API, as ElementTree writes it."""
    return _PREFIX + name


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def parse_xml(data: bytes) -> Element:
    """The root of a document. Raises ValueError for what is no XML."""
    try:
        return ET.fromstring(data)  # noqa: S314 - our own files, or the signed-in org's over TLS
    except ET.ParseError as error:
        raise ValueError(f"no XML: {error}") from None


def add_child(parent: Element, name: str, text: str | None = None) -> Element:
    """A new child; `text` None leaves it empty."""
    child = SubElement(parent, qualified_name(name))
    child.text = text
    return child


def text_of(parent: Element, path: str, default: str = "") -> str:
    """The text under a path of names such as `result/status`."""
    found = parent.find("/".join(map(qualified_name, path.split("/"))))
    return default if found is None or found.text is None else found.text


def children_named(parent: Element, name: str) -> Iterator[Element]:
    """The children of one name, in order."""
    return iter(parent.findall(qualified_name(name)))


def format_xml(root: Element) -> bytes:
    """The document as Salesforce itself lays it out: indented by four spaces, a declaration above, a newline below."""
    ET.indent(root, "    ")
    made = ET.tostring(root, encoding="unicode", default_namespace=NAMESPACE)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{made}\n'.encode()
