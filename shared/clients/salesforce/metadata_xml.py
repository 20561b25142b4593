"""Read and write XML in the namespace of the Metadata API."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_PREFIX = f"{{{NAMESPACE}}}"


def qualified_name(name: str) -> str:
    """Return a name in the namespace of the Metadata API, as ElementTree writes it."""
    return _PREFIX + name


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def parse_xml(data: bytes) -> Element:
    """Return the root of a document. Raises ValueError if `data` is not XML."""
    try:
        return ET.fromstring(data)  # noqa: S314 - our own files, or the signed-in org's over TLS
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from None


def add_child(parent: Element, name: str, text: str | None = None) -> Element:
    """Add a child and return it. It stays empty if `text` is None."""
    child = SubElement(parent, qualified_name(name))
    child.text = text
    return child


def text_of(parent: Element, path: str, default: str = "") -> str:
    """Return the text below a path of names such as `result/status`, or `default` if there is no text."""
    element = parent.find("/".join(map(qualified_name, path.split("/"))))
    return default if element is None or element.text is None else element.text


def children_named(parent: Element, name: str) -> Iterator[Element]:
    """Iterate over the children of one name, in order."""
    return iter(parent.findall(qualified_name(name)))


def format_xml(root: Element) -> bytes:
    """Return the document as Salesforce itself formats it: a declaration, four spaces of indent, a last newline."""
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="unicode", default_namespace=NAMESPACE)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()
