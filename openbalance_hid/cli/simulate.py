"""`simulate`: a virtual deck without a daemon, with its page in the browser, and exported over USB/IP for a kernel."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack

import click

from openbalance_hid.cli.log_setup import set_up_log
from openbalance_hid.cli.params import ChoiceParam, NumberParam, log_level_option
from openbalance_hid.cli.run import DEFAULT_MODEL
from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint
from openbalance_hid.simulator.device.models import OFFERED, model_named

SERIAL = "SIM0000{:04X}"  # with the product id: each model has its own
LONGEST_SERIAL = 32


@click.command("simulate", short_help="Run a virtual deck without a daemon.")
@click.option("--model", type=ChoiceParam(OFFERED), default=DEFAULT_MODEL, show_default=True, help="Model of the deck.")
@click.option("--serial", help="Serial number of the deck; without it one made of the product id.")
@click.option(
    "--usbip", "usbip_port", type=NumberParam(0, 65535), default=3240, show_default=True, help="USB/IP port; 0 picks one."
)
@click.option("--port", type=NumberParam(0, 65535), help="Port of the deck's page; 0 picks one.")
@click.option("--no-browser", is_flag=True, help="Do not open the deck's page.")
@log_level_option
def simulate(model: str, serial: str | None, usbip_port: int, port: int | None, no_browser: bool, log_level: str) -> None:
    """Run a virtual deck without a daemon, exported over USB/IP for a kernel."""
    from openbalance_hid.desktop.open_url import open_page
    from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
    from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
    from openbalance_hid.simulator.web.page_server import PageServer

    set_up_log(log_level)
    shape = model_named(model)
    deck = VirtualDeck(shape, _checked(serial) if serial is not None else SERIAL.format(shape.product_id))
    with ExitStack() as running:
        wait_for_a_signal = _handle_signals(running)
        page = PageServer(deck, dict, port=port)
        running.callback(page.stop)
        usbip = UsbIpServer([deck], usbip_port)
        running.callback(usbip.stop)
        usbip.start()
        url = page.start()
        click.echo(f"Virtual deck: {url}")
        click.echo(_attach_text(usbip.port, usbip.bus_ids[0]))
        if not no_browser:
            open_page(page.one_time_url())
        wait_for_a_signal()


def _attach_text(port: int, bus_id: str) -> str:
    """Return the command that attaches the deck to this kernel, where there is one."""
    if sys.platform != "linux":
        return f"USB/IP: 127.0.0.1:{port}, device {bus_id}; only a Linux kernel can attach it"
    return f"Attach it: sudo modprobe vhci-hcd && sudo usbip --tcp-port {port} attach --remote 127.0.0.1 --busid {bus_id}"


def _checked(serial: str) -> str:
    if not (serial.isascii() and serial.isalnum() and len(serial) <= LONGEST_SERIAL):
        raise UsageError(
            f"not a serial number: {serial[:40]!r}; use 1 to {LONGEST_SERIAL} letters and digits",
            hint("options do not fit together", command="simulate"),
        )
    return serial


def _handle_signals(running: ExitStack) -> Callable[[], object]:
    """Handle the signals that end a program; return what waits for one."""
    from openbalance_hid.runtime.signal_wakeup import ENDING, SignalWakeup

    ended = threading.Event()
    for number in (*ENDING, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, lambda *_: None)
    wakeup = SignalWakeup(ended.set)
    running.callback(wakeup.stop)
    wakeup.start()
    return ended.wait
