"""The start of the program: `openbalance-hid` and `python -m openbalance_hid`."""

import gc
import os
import sys

from openbalance_hid.desktop.process_hardening import VARIABLE, guard_memory

INTERRUPTED = 130  # 128 + SIGINT, as in a shell


def main() -> None:
    """Run the command line. A key in the environment is guarded first: importing the commands takes most of a second.

    Garbage is not collected until the command is imported: that takes a twentieth of its start, and finds nothing.
    """
    gc.disable()
    if any(name.startswith(VARIABLE) for name in os.environ):
        guard_memory()
    if sys.argv[1:2] == ["bar"]:
        from openbalance_hid.cli.bar.quick import print_quickly

        if print_quickly(sys.argv[2:], os.environ):
            return
    try:
        from openbalance_hid.cli import main as run_command_line
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run_command_line()


if __name__ == "__main__":
    main()
