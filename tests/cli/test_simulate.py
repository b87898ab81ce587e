"""`simulate`: its page, its USB/IP device, and how it ends."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.main_job.daemon_process import COMMAND, environment
from tests.simulator.usbip.usbip_client import Client
from tests.waiting import PATIENCE_S

ON_MACOS = r"USB/IP: 127\.0\.0\.1:(\d+), device 1-1; only a Linux kernel can attach it\n"


@pytest.fixture
def simulate(tmp_path):
    started = []

    def start(*words: str, **variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*COMMAND, "simulate", "--no-browser", "--port", "0", "--usbip", "0", *words],
            env=environment(tmp_path, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def addresses(process: "subprocess.Popen[str]") -> tuple[str, int]:
    """Return the address of the page and the USB/IP port, from the two printed lines."""
    page = re.fullmatch(r"Virtual deck: (http://\S+)\n", process.stdout.readline())
    line = process.stdout.readline()
    command = r"Attach it: .* usbip --tcp-port (\d+) attach --remote 127\.0\.0\.1 --busid 1-1\n"
    attach = re.fullmatch(command if sys.platform == "linux" else ON_MACOS, line)
    return page[1], int(attach[1])


def test_a_press_on_the_page_is_an_input_report_of_the_usb_device(simulate):
    process = simulate("--model", "mini", "--serial", "A1B2")
    page, port = addresses(process)
    with Client(port) as usb:
        assert usb.attach() == 0
        assert usb.descriptor(3, 3)[2:].decode("utf-16-le") == "A1B2"
        usb.submit(1, True, 17)
        with connect(page.replace("http:", "ws:").replace("/?", "/events?"), origin=page.split("/?")[0]) as wire:
            wire.send('{"type": "press", "key": 4}')
            assert usb.answer().data == b"\x01\0\0\0\0\x01".ljust(17, b"\0")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in process.stderr.read()


def test_a_serial_number_that_a_descriptor_cannot_hold_is_refused(simulate):
    process = simulate("--serial", "ä" * 3)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert said.startswith("error: not a serial number: 'äää'; use 1 to 32 letters and digits")


def test_a_port_in_use_is_an_error(simulate):
    _, port = addresses(simulate())
    second = simulate("--usbip", str(port))
    _, said = second.communicate(timeout=PATIENCE_S)
    assert (second.returncode, said.splitlines()) == (
        2,
        [f"error: port {port} is taken", "try: openbalance-hid simulate --usbip 0"],
    )


def test_on_macos_no_command_of_linux_is_shown(simulate):
    process = simulate(PYTHONPATH=str(Path(__file__).parents[1] / "as_darwin"))
    assert process.stdout.readline().startswith("Virtual deck: ")
    assert re.fullmatch(ON_MACOS, process.stdout.readline())
