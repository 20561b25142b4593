"""Handle one event of the queue `referral-events`: pull the referral that it names.

An event is a hint: only the referral's id is taken from it (docs/protocol.md#events).
"""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("apply_event")
@bp.queue_trigger(arg_name="message", queue_name="%EVENTS_QUEUE%", connection="AzureWebJobsStorage")
def apply_event(message: func.QueueMessage) -> None:
    """Pull the referral that the event names. If that is not possible now, it goes into the retry queue.

    So does the event of a burst, for the next run (docs/protocol.md#bursts).
    """
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.sync.event_ages import AGES  # noqa: PLC0415 - as above
    from shared.sync.runs import pull_event  # noqa: PLC0415 - as above
    from shared.webhook.admission import event_in_message  # noqa: PLC0415 - as above

    event = event_in_message(message.get_body())
    if event is not None:
        ctx = app().context
        is_of_burst = AGES.take_message(message.insertion_time, ctx.clock.now())
        pull_event(ctx, event.referral_id, event.id, is_related=event.name.is_related, is_of_burst=is_of_burst)
