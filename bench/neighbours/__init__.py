"""The daemon next to other programs for a Stream Deck, on one machine, in the same windows. `make bench-neighbours`.

Each program is installed as its makers ship it, into a folder of its own outside the repository, and runs unchanged: only the
hidapi under it is `fake_hidapi.c`, with a simulated deck at the other end. What cannot be had or does not run is said, with the
reason. Linux only, because it counts in /proc; not a part of `make bench`, because it installs other people's programs.
"""
