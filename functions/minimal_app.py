"""The app of a start that failed: health says what is wrong, and a timer logs it, so that an alert can read it.

It has no queue function, because an event must wait in its queue until the app works. The schedule is literal, because
the settings may be what is wrong. The names of the functions are no literals: `make deploy` waits for those alone.
"""

import json

import azure.functions as func

from shared import __version__
from shared.foundation.build_record import deployed_commit
from shared.foundation.logs import log
from shared.foundation.start_fault import StartFault

HEALTH, TIMER = "report_health", "report_start_fault"
EVERY_MINUTE = "0 * * * * *"
UNAVAILABLE = 503


def load_minimal_app(fault: StartFault) -> func.FunctionApp:
    """Return the app that reports this fault."""
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    report = json.dumps({
        "version": __version__, "commit": deployed_commit(), "mode": "not started", "error": fault.error,
        "errors": fault.sentences,
    })  # fmt: skip

    @app.function_name(HEALTH)
    @app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
    def report_health(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(report, status_code=UNAVAILABLE, mimetype="application/json")

    @app.function_name(TIMER)
    @app.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE, run_on_startup=False, use_monitor=False)
    def report_start_fault(timer: func.TimerRequest) -> None:
        log("start_failed", error=fault.error, names=fault.names)

    return app
