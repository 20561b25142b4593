"""HTTP GET /api/health: version, mapping hash, mode, age of the last push and sweep; no remote call, no secret."""

import json

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("report_health")
@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def report_health(req: func.HttpRequest) -> func.HttpResponse:
    """Report how the connector stands."""
    from shared.app import app  # noqa: PLC0415 - late: the event door does not need it
    from shared.operations.health import health_report  # noqa: PLC0415 - as above

    return func.HttpResponse(json.dumps(health_report(app())), mimetype="application/json")
