"""HTTP POST /api/events: verify the signature, enqueue, answer 202. Anonymous at the host: the signature is the key."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("receive_event")
@bp.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="queue", queue_name="%EVENTS_QUEUE%", connection="AzureWebJobsStorage")
def receive_event(req: func.HttpRequest, queue: func.Out[str]) -> func.HttpResponse:
    """Admit one event; whatever is wrong with it, the answer tells no detail."""
    from shared.webhook.admission import admit  # noqa: PLC0415 - late: only this function needs the door

    admission = admit(req.headers.items(), req.get_body())
    if admission.message is not None:
        queue.set(admission.message)
    return func.HttpResponse(status_code=admission.status)
