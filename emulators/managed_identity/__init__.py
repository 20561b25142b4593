"""An emulator of the endpoint that gives a Functions host tokens for its managed identity."""
