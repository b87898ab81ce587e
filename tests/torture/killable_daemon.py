"""The daemon in a process whose threads can be ended from outside: a line with a thread's name on standard input ends it.

The exception is raised in the thread wherever it is, as a lack of memory is. A thread that waits gets it when it wakes.
"""

import ctypes
import sys
import threading

from openbalance_hid.cli import main


def end_threads() -> None:
    for line in sys.stdin:
        for thread in threading.enumerate():
            if thread.name == line.strip() and thread.ident is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        names = sorted(each.name for each in threading.enumerate())
        sys.stderr.write(f"threads: {'|'.join(names)}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    threading.Thread(target=end_threads, name="end threads", daemon=True).start()
    main(sys.argv[1:])
