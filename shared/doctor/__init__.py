"""Every prerequisite, looked at one by one: what was found, and what to do about it (docs/command-line.md)."""
