"""Partner Center on one machine: referrals, Entra ID, the event dispatcher and its certificates.

Each of the three is an emulator of its own on an address of its own; `serve.serve` starts them together. What they do
and what they lack stands in docs/emulators-partner-center.md.
"""
