"""Read the settings from environment variables and check them at start."""
