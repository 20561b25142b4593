"""Check every prerequisite of an installation for `cosell doctor` (docs/reference/commands.md#cosell-doctor)."""
