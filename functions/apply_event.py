"""Handle one event of the queue `referral-events`: pull the referral that it names.

An event is a hint: only the referral's id is taken from it (docs/protocol.md#events).
"""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("apply_event")
@bp.queue_trigger(arg_name="message", queue_name="%EVENTS_QUEUE%", connection="AzureWebJobsStorage")
def apply_event(message: func.QueueMessage) -> None:
    """Pull the referral that the event names. If that is not possible now, it goes into the retry queue."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.sync.runs import pull_event  # noqa: PLC0415 - as above
    from shared.webhook.admission import event_in_message  # noqa: PLC0415 - as above

    event = event_in_message(message.get_body())
    if event is not None:
        pull_event(app().context, event.referral_id, event.id, is_related=event.name.is_related)
