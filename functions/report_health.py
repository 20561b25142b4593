"""HTTP GET /api/health: report version, mapping hash, mode, and the age of the last push and sweep.

It calls neither side and returns no secret.
"""

import json

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("report_health")
@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def report_health(req: func.HttpRequest) -> func.HttpResponse:
    """Return the health report as JSON."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.operations.health import health_report  # noqa: PLC0415 - as above

    return func.HttpResponse(json.dumps(health_report(app())), mimetype="application/json")
