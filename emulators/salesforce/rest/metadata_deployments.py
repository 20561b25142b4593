"""Answer the REST resources of a metadata deployment (docs/reference/salesforce.md#rest-deployment)."""

import json
from typing import Any

from emulators.salesforce.data.errors import ApiError, malformed_body, method_not_allowed, not_found
from emulators.salesforce.metadata.deploy_results import deploy_result
from emulators.salesforce.metadata.deployments import Deployments
from emulators.salesforce.rest.call import Call, Reply


def answer_deploy_request(deployments: Deployments, call: Call, body: bytes) -> Reply:
    """`POST /metadata/deployRequest` and `GET /metadata/deployRequest/ID`. Raises ApiError."""
    deployments.check_right(call.user)
    match call.parts[1:]:
        case ("deployRequest",):
            if call.method != "POST":
                raise method_not_allowed(call.method, "POST")
            data, options = _split_form(body, call.headers.get("content-type", ""))
            job = deployments.deploy(data, options, call.user)
            result = deploy_result(job, with_details=False)
            return Reply(201, {"id": job.id, "deployOptions": job.options, "deployResult": result})
        case ("deployRequest", identifier):
            if call.method != "GET":
                raise method_not_allowed(call.method, "GET")
            with_details = call.query.get("includeDetails") == "true"
            result = deployments.poll(identifier, with_details=with_details)
            return Reply(200, {"id": identifier, "deployResult": result})
    raise not_found()


def _split_form(body: bytes, content_type: str) -> tuple[bytes, dict[str, Any]]:
    """The zip and the deploy options of a multipart request. Raises ApiError."""
    _, _, boundary = content_type.partition("boundary=")
    if not content_type.startswith("multipart/form-data") or not boundary:
        message = "The content type of the request is not supported by this resource"
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    parts: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary.strip('"').encode()):
        head, _, data = part.partition(b"\r\n\r\n")
        for name in ("file", "entity_content"):
            if b'name="' + name.encode() + b'"' in head:
                parts[name] = data.removesuffix(b"\r\n")
    try:
        return parts["file"], dict(json.loads(parts["entity_content"])["deployOptions"])
    except (KeyError, ValueError, TypeError) as error:
        raise malformed_body("The request has a part entity_content with deployOptions, and a part file") from error
