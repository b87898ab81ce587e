"""The pages of virtual decks in the browser. Without a virtual deck there is no page, and nothing to do.

The simulator is imported only for a virtual deck.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.desktop.open_url import open_page, open_url

if TYPE_CHECKING:
    from openbalance_hid.runtime.sample_scenarios import SampleScenarios
    from openbalance_hid.runtime.virtual_decks import VirtualDecks


class DeckPages:
    """The page of each virtual deck. `port`: of the first page; None: the usual one or the next free one; 0: any free one."""

    def __init__(self, models: tuple[str, ...], port: int | None, open_browser: bool) -> None:
        """UsageError for an unknown model."""
        self._models = models
        self._port = port
        self._open_browser = open_browser
        self._virtual: VirtualDecks | None = None

    def plug_in(self) -> HidTransport:
        """Return the bus with the virtual decks."""
        from openbalance_hid.runtime.virtual_decks import VirtualDecks

        self._virtual = VirtualDecks(self._models)
        return self._virtual.transport

    def start(self, running: ExitStack, sample: SampleScenarios | None) -> None:
        """Start the pages and print their addresses; `running` stops them. A page of a demo changes scenario and model.

        Call `plug_in` first.
        """
        from openbalance_hid.simulator.device.models import OFFERED, model_named
        from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
        from openbalance_hid.simulator.web.page_server import PageServer

        virtual = self._virtual
        assert virtual is not None  # noqa: S101 – plug_in comes first
        if sample is not None:
            sample.report_alerts(virtual.note)
        for number, deck in enumerate(virtual.decks):
            page = PageServer(
                deck,
                partial(virtual.texts, number),
                scenarios=SCENARIOS if sample is not None else (),
                scenario=sample.current if sample is not None else str,
                set_scenario=partial(self._change_scenario, sample, dict(SCENARIOS)) if sample is not None else None,
                models=[(name, model_named(name).title) for name in OFFERED] if sample is not None else (),
                set_model=partial(virtual.change_model, number) if sample is not None else None,
                port=self._port if number == 0 or self._port == 0 else None,
            )
            running.callback(page.stop)
            url = page.start()
            virtual.pages[number] = page
            _print(f"Virtual deck: {url}")
            if self._open_browser:
                open_page(page.one_time_url())
        _print("Open this address in a browser. Ctrl-C stops the deck.")

    def _change_scenario(self, sample: SampleScenarios, titles: Mapping[str, str], name: str) -> None:
        """Change the sample account, and say so in place of what happened before."""
        self.note(f"Sample account: {titles[name]}")
        sample.choose(name)

    def revive(self) -> None:
        """Start the threads of the pages again if they have ended."""
        for page in self._virtual.pages.values() if self._virtual is not None else ():
            page.revive()

    def open_url(self, url: str, failed: Callable[[], None]) -> None:
        """Open a page of a tile in the browser, and note that below the virtual decks."""
        self.note(f"Opens {url}")
        if self._virtual is None or self._open_browser:
            open_url(url, failed)

    def set_text(self, serial: str, part: int | str, text: str) -> None:
        """Show the text of a part of a deck on its page."""
        if self._virtual is not None:
            self._virtual.set_text(serial, part, text)

    def note(self, text: str) -> None:
        """Show a line below every virtual deck: what a press did."""
        if self._virtual is not None:
            self._virtual.note(text)

    def set_rotation(self, serial: str, degrees: int) -> None:
        """Show a deck on its page as it is turned."""
        if self._virtual is not None:
            self._virtual.set_rotation(serial, degrees)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
