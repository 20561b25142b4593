"""HTTP POST /api/events: verify the event's signature, put the event into the queue, answer 202.

The host lets everybody call it, because the signature proves who sent the event (docs/event-signature.md#steps).
"""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("receive_event")
@bp.route(route="events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="queue", queue_name="%EVENTS_QUEUE%", connection="AzureWebJobsStorage")
def receive_event(req: func.HttpRequest, queue: func.Out[str]) -> func.HttpResponse:
    """Admit one event. A refusal is a status without any detail."""
    from shared.webhook.admission import admit  # noqa: PLC0415 - imported late: only this function needs it

    answer = admit(req.headers.items(), req.get_body())
    if answer.message is not None:
        queue.set(answer.message)
    return func.HttpResponse(status_code=answer.status)
