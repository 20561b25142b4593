"""Handle one message of the queue `referral-events-poison`: an event that failed on every attempt.

The referral goes into the retry queue, so that nothing is lost (docs/protocol.md#poisoned-events).
"""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("apply_poison")
@bp.queue_trigger(arg_name="message", queue_name="%EVENTS_QUEUE%-poison", connection="AzureWebJobsStorage")
def apply_poison(message: func.QueueMessage) -> None:
    """Put the referral into the retry queue. Neither side is called, because a side may be why the event failed."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.sync.retry_queue import queue_poisoned_event  # noqa: PLC0415 - as above
    from shared.webhook.admission import event_in_message  # noqa: PLC0415 - as above

    event = event_in_message(message.get_body())
    if event is not None:
        queue_poisoned_event(app().local, event.referral_id, event.id, is_related=event.name.is_related)
