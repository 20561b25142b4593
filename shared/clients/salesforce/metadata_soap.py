"""Send the operations of the Metadata API that have no REST form: listing and retrieving.

The header of the SOAP envelope holds the session of the REST API. A SOAP fault is turned into the shape of a REST
error, so that errors are classified in one place. Source: docs/reference/salesforce.md#soap-operations.
"""

from xml.etree.ElementTree import Element, SubElement, tostring

import requests
from msgspec import Struct

from shared.clients.salesforce.metadata_xml import NAMESPACE, add_child, parse_xml, qualified_name
from shared.clients.salesforce.token_endpoint import Token
from shared.transport.deadline import Deadline

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class SoapCall(Struct, frozen=True):
    """One operation; `body` is its element. `ApiConnection.read` sends it, and its reply then holds an Element."""

    description: str
    body: Element

    def post(
        self, session: requests.Session, token: Token, version: str, deadline: Deadline
    ) -> tuple[requests.Response, object]:
        """Send once; return the raw answer, and the operation's response element, or a list of errors, or None.

        Raises NoTimeLeft if `deadline` has passed.
        """
        response = session.post(
            f"{token.instance_url}/services/Soap/m/{version}",
            data=_soap_envelope(self.body, token.value),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
            timeout=deadline.seconds_to_send(),
            allow_redirects=False,
        )
        return response, _value_in_envelope(response.content)


def new_operation(name: str) -> Element:
    """Return the empty element of an operation; the caller adds its arguments."""
    return Element(qualified_name(name))


def _soap_envelope(body: Element, session_id: str) -> bytes:
    envelope = Element(f"{{{_ENVELOPE}}}Envelope")
    header = SubElement(SubElement(envelope, f"{{{_ENVELOPE}}}Header"), qualified_name("SessionHeader"))
    add_child(header, "sessionId", session_id)
    SubElement(envelope, f"{{{_ENVELOPE}}}Body").append(body)
    made: bytes = tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return made


def _value_in_envelope(content: bytes) -> object:
    try:
        body = parse_xml(content).find(f"{{{_ENVELOPE}}}Body")
    except ValueError:
        return None
    first = next(iter(body), None) if body is not None else None
    if first is None:
        return None
    if first.tag == f"{{{_ENVELOPE}}}Fault":
        code, text = first.findtext("faultcode", ""), first.findtext("faultstring", "")
        return [{"errorCode": code.rpartition(":")[2], "message": text}]
    return first if first.tag.startswith(f"{{{NAMESPACE}}}") else None
