"""Programs that `make bench` runs in the environment of the build that it measures.

Each is one file, names modules of the build only by `importlib`, and imports nothing of `benchmarks`: the older build
has other modules, and no such package. They speak with `benchmarks.systems.processes` in lines of JSON.
"""
