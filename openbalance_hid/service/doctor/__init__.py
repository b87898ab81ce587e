"""Diagnostics: what does not work, and the one command that fixes it.

Each `<topic>_checks` module has `check_…` functions, which look at this machine and change nothing, and `assess_…` functions,
which turn the facts that were found into checks and are pure. `registry` lists them, `runner` runs them side by side.
"""
