"""The measures: each module measures some rows for one build. `MEASURES` says which.

A measure is a function that gets a build, the names of the wanted rows, the effort, and a function that tells progress.
It returns the samples by the name of the row. It raises CannotMeasure if the build did not do the work.
"""
