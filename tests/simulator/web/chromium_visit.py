"""A real headless Chromium that opens the page of a deck, and what it shows."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from PIL import Image

from tests.chromium import chromium
from tests.simulator.web.page_rig import PageRig
from tests.waiting import PATIENCE_S

__all__ = ["chromium"]

LOOK_S = 0.02
Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def visit(chromium: Any) -> Open:
    """Open the page of a rig and wait until it is connected; afterwards check that it had no error."""

    @contextmanager
    def opened(rig: PageRig, **options: Any) -> Iterator[Any]:
        errors: list[str] = []
        foreign_requests: list[str] = []
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
        page.on("request", lambda request: foreign_requests.append(request.url) if not ours(request.url, rig) else None)
        try:
            rig.server.note("ready")
            page.goto(rig.url)
            page.get_by_text("ready", exact=True).wait_for()
            yield page
        finally:
            context.close()
        assert errors == []
        assert foreign_requests == []

    return opened


def ours(url: str, rig: PageRig) -> bool:
    return url.startswith((f"http://127.0.0.1:{rig.server.port}/", "data:"))


def key(page: Any, number: int) -> Any:
    return page.locator(f'[data-key="{number}"]')


def colour_of(page: Any, number: int) -> tuple[int, int, int]:
    """What the page paints in the middle of a key."""
    with Image.open(io.BytesIO(key(page, number).screenshot())) as shot:
        red, green, blue = shot.convert("RGB").getpixel((shot.width // 2, shot.height // 2))  # type: ignore[misc]
    return red, green, blue


def until(page: Any, script: str, wanted: Any = None) -> None:
    """Wait until the function returns true. (Playwright's own wait needs `eval`, which the page's policy forbids.)"""
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if page.evaluate(script, wanted):
            return
        page.wait_for_timeout(LOOK_S * 1000)
    raise AssertionError(f"never true for {wanted}: {script}")


def wait_for_picture(page: Any, number: int, red: int, green: int, blue: int) -> None:
    """Waits until the picture of a key has this colour in the middle, as decoded by the browser."""
    until(
        page,
        """([number, ...wanted]) => {
            const image = document.querySelector(`[data-key="${number}"] img`);
            if (!image || !image.complete || !image.naturalWidth) return false;
            const canvas = document.createElement("canvas");
            canvas.width = image.naturalWidth;
            canvas.height = image.naturalHeight;
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const seen = context.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
            return wanted.every((value, index) => Math.abs(value - seen[index]) <= 8);
        }""",
        [number, red, green, blue],
    )
