"""Send every remote call by the same rules: a total deadline, our own trust, no cookies, no proxy of the environment.

`deadline` needs only the standard library. `session` imports `requests` and `client` imports `httpx`, so import these
two only where they are needed.
"""
