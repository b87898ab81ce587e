"""`simulate`: a virtual deck alone, without the daemon: its page to press it, and USB/IP to attach it to a kernel."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

import click

from openbalance_hid.cli.params import ChoiceParam, NumberParam
from openbalance_hid.cli.run import DEFAULT_MODEL, LEVELS, set_up_log
from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.device.models import OFFERED, model_named

SERIAL = "SIM0000{:04X}"  # the product id, so that two models differ
LONGEST_SERIAL = 32


@click.command("simulate")
@click.option("--model", type=ChoiceParam(OFFERED), default=DEFAULT_MODEL, show_default=True, help="Which deck.")
@click.option("--serial", help="Its serial number; a number that speaks of the model when none is given.")
@click.option(
    "--usbip", "usbip_port", type=NumberParam(0, 65535), default=3240, show_default=True, help="USB/IP port; 0 picks one."
)
@click.option("--port", type=NumberParam(0, 65535), help="Port of the deck's page; 0 picks one.")
@click.option("--no-browser", is_flag=True, help="Do not open the deck's page.")
@click.option("--log-level", type=ChoiceParam(LEVELS), default="info", show_default=True, help="How much to say.")
def simulate(model: str, serial: str | None, usbip_port: int, port: int | None, no_browser: bool, log_level: str) -> None:
    """Run a virtual deck alone, for a kernel to attach over USB/IP."""
    from openbalance_hid.desktop.open_url import open_page
    from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
    from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
    from openbalance_hid.simulator.web.page_server import PageServer

    set_up_log(log_level)
    shape = model_named(model)
    deck = VirtualDeck(shape, _checked(serial) if serial is not None else SERIAL.format(shape.product_id))
    with ExitStack() as running:
        page = PageServer(deck, dict, port=port)
        running.callback(page.stop)
        usbip = UsbIpServer([deck], usbip_port)
        running.callback(usbip.stop)
        usbip.start()
        url = page.start()
        click.echo(f"Virtual deck: {url}")
        click.echo(f"Attach it: {_attach_command(usbip.port, usbip.bus_ids[0])}")
        if not no_browser:
            open_page(page.one_time_url())
        _wait_for_a_signal()


def _attach_command(port: int, bus_id: str) -> str:
    return f"sudo modprobe vhci-hcd && sudo usbip --tcp-port {port} attach --remote 127.0.0.1 --busid {bus_id}"


def _checked(serial: str) -> str:
    if not (serial.isascii() and serial.isalnum() and len(serial) <= LONGEST_SERIAL):
        raise UsageError(
            f"a serial number is 1 to {LONGEST_SERIAL} letters and digits, not {serial[:40]!r}",
            "openbalance-hid simulate --help",
        )
    return serial


def _wait_for_a_signal() -> None:
    from openbalance_hid.runtime.signal_wakeup import SignalWakeup

    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    nudge = SignalWakeup(asked_to_end.set)
    nudge.start()
    asked_to_end.wait()
    nudge.stop()
