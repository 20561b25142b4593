"""The settings: environment variables, checked at start."""
