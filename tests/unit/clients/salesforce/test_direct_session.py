"""A call that goes straight to the adapter is, on the wire, the one that `requests` would send."""

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.clients.salesforce.simple_salesforce_adapter import RestClient
from shared.transport.deadline import call_deadline
from shared.transport.session import open_session

CALLS = (
    ("GET", "query?q=SELECT%20Id,Name%20FROM%20Opportunity%20WHERE%20Name%20%3D%20'a%27'", None),
    ("GET", "sobjects/Opportunity/describe/{a} b\u00e9", None),
    ("POST", "composite", b'{"a": "\\u00e9"}'),
    ("POST", "composite/sobjects", None),
    ("PATCH", "composite/sobjects", b"{}"),
    ("DELETE", "sobjects/Opportunity/006", None),
)


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_the_same_request_arrives(authority: Authority, method: str, path: str, body: bytes | None) -> None:
    arrived = list[Request]()

    def answer(request: Request) -> Response:
        arrived.append(request)
        return Response.of([{"done": True}], Set_Cookie="a=b", Sforce_Limit_Info="api-usage=1/10")

    headers = {"Sforce-Query-Options": "batchSize=2000"}
    with Server(answer, tls=authority.server_context()) as server, open_session(authority.bundle) as session:
        client = RestClient(access_token="t", instance_url=server.url, session=session, version="66.0")
        with call_deadline(60) as deadline:
            response, value = client.send(path, method=method, data=body, headers=headers, deadline=deadline)
        assert response is not None
        assert (response.status_code, response.headers["Sforce-Limit-Info"]) == (200, "api-usage=1/10")
        assert value == [{"done": True}]
        given = {**headers, "Authorization": "Bearer t", "Content-Type": "application/json"}
        url = f"{server.url}/services/data/v66.0/{path}"
        session.request(method, url, headers=given, data=body, allow_redirects=False)
    ours, theirs = arrived
    assert ours == theirs


def test_a_redirect_is_an_answer_and_no_cookie_is_kept(authority: Authority) -> None:
    arrived = list[Request]()

    def answer(request: Request) -> Response:
        arrived.append(request)
        return Response(302, b"", {"Location": "https://evil.example/", "Set-Cookie": "a=b; Path=/"})

    with Server(answer, tls=authority.server_context()) as server, open_session(authority.bundle) as session:
        client = RestClient(access_token="t", instance_url=server.url, session=session, version="66.0")
        for _ in range(2):
            with call_deadline(60) as deadline:
                response, _ = client.send("limits", method="GET", data=None, headers={}, deadline=deadline)
            assert response is not None
            assert response.status_code == 302
    assert ["cookie" in request.headers for request in arrived] == [False, False]
