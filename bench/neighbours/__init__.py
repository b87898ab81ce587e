"""The daemon next to other programs for a Stream Deck, on one machine, in the same windows. `make bench-neighbours`.

Each program is installed from its registry, into a folder of its own outside the repository, and runs unchanged: only its
hidapi is replaced by `fake_hidapi.c`, with a simulated deck at the other end. A program that cannot be installed, or does not
run, is listed with the reason. Linux only, because it reads /proc; not part of `make bench`, because it installs third-party
programs.
"""
