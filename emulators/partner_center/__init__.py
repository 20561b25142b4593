"""An emulator of Partner Center: the referrals API, webhook registration, the event dispatcher and its certificates.

`emulator.py` is the API, `certificate_host.py` serves the dispatcher's certificate on an address of its own, and
`serve.py` starts both together with Entra ID. What is emulated and what is missing:
docs/reference/emulator-of-partner-center.md.
"""
