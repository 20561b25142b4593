"""Check every prerequisite of an installation for `cosell doctor` (docs/command-line.md#cosell-doctor)."""
