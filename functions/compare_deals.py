"""Timer, several times in a night: compare all links with both sides, and purge personal values; once a day each."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("compare_deals")
@bp.timer_trigger(arg_name="timer", schedule="%COMPARE_SCHEDULE%", run_on_startup=False, use_monitor=True)
def compare_deals(timer: func.TimerRequest) -> None:
    """Run the steps of the day. Each goes on where its last run stopped."""
    from shared.app import app  # noqa: PLC0415 - imported late: webhook admission does not need it
    from shared.operations.daily_steps import run_daily_steps  # noqa: PLC0415 - as above

    run_daily_steps(app())
