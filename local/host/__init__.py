"""A local Functions host. It loads the app through Microsoft's own worker library and runs the app's triggers.

It replaces Azure Functions Core Tools, which need a download. docs/local-host.md lists the differences.
"""
