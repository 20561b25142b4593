"""The module that the Functions worker loads: the app with all triggers, or the minimal one if that cannot start."""

import gc

# Objects made at start stay in use. Searching them for garbage took a tenth of a cold start.
gc.set_threshold(100_000, 20, 50)

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from shared.foundation.start_fault import StartFault

start_fault: "StartFault | None" = None
"""Why the app did not start; None if it did."""


def load_app() -> func.FunctionApp:
    """Return the whole app. With a wrong setting or mapping file, return one that reports what is wrong.

    An app that does not load has no function, answers no request and logs no line (docs/reference/azure.md#azure-cli).
    """
    global start_fault  # noqa: PLW0603 - the local host reads it from the module, as the worker reads `app`
    try:
        from functions.whole_app import load_whole_app  # noqa: PLC0415 - a module that cannot load is a fault too

        return load_whole_app()
    except Exception as error:  # noqa: BLE001 - whatever it is, the minimal app reports it
        from shared.foundation.start_fault import describe_start_fault  # noqa: PLC0415 - rarely needed

        start_fault = describe_start_fault(error)
    from functions.minimal_app import load_minimal_app  # noqa: PLC0415 - as above

    return load_minimal_app(start_fault)


app = load_app()
gc.freeze()  # later collections skip these objects too
