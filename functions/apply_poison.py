"""Queue referral-events-poison: an event that failed again and again goes on the due list: nothing is dropped."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("apply_poison")
@bp.queue_trigger(arg_name="message", queue_name="%EVENTS_QUEUE%-poison", connection="AzureWebJobsStorage")
def apply_poison(message: func.QueueMessage) -> None:
    """Put the referral on the due list; that needs neither side, one of which may be why the event failed."""
    from shared.app import app  # noqa: PLC0415 - late: the event door does not need it
    from shared.sync.retry.retry_queue import queue_poisoned_event  # noqa: PLC0415 - as above
    from shared.webhook.admission import event_of  # noqa: PLC0415 - as above

    event = event_of(message.get_body())
    if event is not None:
        queue_poisoned_event(app().local, event.referral_id)
