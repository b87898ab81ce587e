"""poll(2) of macOS: a descriptor without a requested event is not watched (xnu, bsd/kern/sys_generic.c, poll_nocancel)."""

from __future__ import annotations

import select

linux_poll = select.poll


class Poll:
    """As `select.poll`, as far as it is used."""

    def __init__(self) -> None:
        self._poll = linux_poll()

    def register(self, fd: int, events: int = select.POLLIN | select.POLLPRI | select.POLLOUT) -> None:
        if events:
            self._poll.register(fd, events)

    def unregister(self, fd: int) -> None:
        self._poll.unregister(fd)

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        return self._poll.poll(timeout)
