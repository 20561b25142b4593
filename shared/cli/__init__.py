"""The `cosell` command: installs, connects, checks and operates the connector. It uses the same code as the app."""
