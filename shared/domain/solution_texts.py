"""The sentences that sellers read about the solutions of a deal, where they are rows of a related list."""

from collections.abc import Mapping

SOLUTION_SENTENCES: Mapping[str, str] = {
    "solution_inactive": (
        "{label}: Partner Center does not get {value}, because the catalogue of solutions has it as inactive. Please "
        "choose another one, or ask your administrator to set it active."
    ),
    "row_only_shown": (
        "{label} only shows Products: Partner Center does not get {value}. Please enter the id in Products instead."
    ),
    "rows_only_shown": (
        "{label} only shows Products: {before} was replaced by {after}. Please change Products instead."
    ),
    "shown_only": (
        "{label} only shows the related list of solutions: {before} was replaced by {after}. Please change the list "
        "instead."
    ),
}

SOLUTION_CAUSES: Mapping[str, tuple[str, str]] = {
    "missing_solution_rows": ("The deal has no solution.", "Please add one to the related list of solutions."),
    "inactive_solutions": (
        "The catalogue of solutions has {value} as inactive.",
        "Please choose another solution, or ask your administrator to set it active.",
    ),
    "no_solution_rows": (
        "{label} is not synced: the org lacks the related list of solutions, or the integration user does not see it.",
        "Please ask your administrator to install this version of the Salesforce package with its permission sets.",
    ),
    "row_without_solution": (
        "A row of the related list of solutions names no solution with an id.",
        "Please choose a solution in this row, or delete it.",
    ),
}
