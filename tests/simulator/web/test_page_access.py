"""Access to the page server over real sockets: only its own page, with its token."""

import logging
import re

import pytest
from websockets.exceptions import InvalidStatus

from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web import page_server
from openbalance_hid.simulator.web.page_access import PageAccess
from tests.simulator.web.page_rig import TOKEN, PageRig, ask

PATHS = ("/", "/deck.css", "/deck.js", "/input.js", "/connection.js", "/deck.json", "/keys/0.png", "/events", "/nowhere")


@pytest.mark.parametrize("path", ["/", "/deck.css", "/deck.js", "/input.js", "/connection.js", "/deck.json", "/keys/0.png"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_with_its_token_everything_is_served_under_both_names(rig: PageRig, path: str, host: str) -> None:
    assert rig.get(path, host=host)[0] == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?token=",
        "?token=wrong",
        "?token=right-toke",
        "?token=right-token&token=right-token",
        "?Token=right-token",
        "?other=1&token=RIGHT-TOKEN",
        "?token=right-token%00",
        "?" + "&".join(["a=1"] * 50) + "&token=right-token",
    ],
)
def test_without_exactly_its_token_nothing_is_served(rig: PageRig, path: str, query: str) -> None:
    status, _headers, body = rig.get("", target=path + query)
    assert status == 403
    assert TOKEN.encode() not in body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "127.0.0.1:1", "127.0.0.1.evil.example", "[::1]", "0.0.0.0", "localhost.:1"]
)
def test_a_foreign_host_name_is_refused(rig: PageRig, path: str, host: str | None) -> None:
    assert rig.get(path, host=host)[0] == 403


def test_a_second_host_header_is_refused(rig: PageRig) -> None:
    assert rig.get("/", headers=(("Host", f"127.0.0.1:{rig.server.port}"),))[0] == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://localhost:{port}", ""])
def test_a_page_from_elsewhere_is_refused_even_with_the_token(rig: PageRig, path: str, origin: str) -> None:
    assert rig.get(path, headers=(("Origin", origin.format(port=rig.server.port)),))[0] == 403


def test_the_page_itself_may_fetch(rig: PageRig) -> None:
    assert rig.get("/deck.json", headers=(("Origin", f"http://127.0.0.1:{rig.server.port}"),))[0] == 200


def test_a_websocket_of_a_browser_needs_an_origin_one_of_a_program_does_not(rig: PageRig) -> None:
    with pytest.raises(InvalidStatus) as refused, rig.page(additional_headers={"Sec-Fetch-Site": "same-origin"}):
        pass
    assert refused.value.response.status_code == 403
    with rig.page() as page:
        page.settle()


def test_a_websocket_from_another_page_is_refused(rig: PageRig) -> None:
    with pytest.raises(InvalidStatus) as refused, rig.page(origin="http://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_the_host_is_checked_before_the_origin_and_the_origin_before_the_token() -> None:
    access = PageAccess(8484, "secret")

    def refusal(target: str, **headers: str) -> str | None:
        return access.refusal(target, lambda name: [headers[name]] if name in headers else [], websocket=False)

    assert refusal("/", Host="evil", Origin="http://evil") == "host"
    assert refusal("/", Host="127.0.0.1:8484", Origin="http://evil") == "origin"
    assert refusal("/", Host="127.0.0.1:8484") == "token"
    assert refusal("/?token=secret", Host="LocalHost:8484") is None
    assert (
        PageAccess(80, "secret").refusal(
            "/?token=secret", lambda name: ["localhost"] if name == "Host" else [], websocket=False
        )
        is None
    )


@pytest.mark.parametrize(
    "path",
    [
        "/../page_server.py",
        "/page/index.html",
        "/index.html",
        "/%2e%2e/page_server.py",
        "//",
        "//deck.css",
        "/deck.css/",
        "/./deck.js",
        "/keys/00.png",
        "/keys/15.png",
        "/keys/-1.png",
        "/keys/1.png/",
        "/keys/+1.png",
        "/keys/%31.png",
        "/keys/99999.png",
        "/keys/1.PNG",
        "/keys/",
        "/strip.png",
        "/favicon.ico",
    ],
)
def test_no_other_path_leads_anywhere(rig: PageRig, path: str) -> None:
    assert rig.get(path)[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_get_is_answered(rig: PageRig, method: str, path: str) -> None:
    status, headers, _body = rig.get(path, method=method)
    assert (status, headers["allow"]) == (405, "GET")
    assert rig.get(path, method=method, target=path)[0] == 403


def test_events_without_a_websocket_need_an_upgrade(rig: PageRig) -> None:
    assert rig.get("/events")[0] == 426


@pytest.mark.parametrize("target", ["/?token=right-token", "/", "/nowhere?token=right-token", "/keys/0.png?token=right-token"])
def test_every_response_forbids_caching_sniffing_framing_and_foreign_content(rig: PageRig, target: str) -> None:
    headers = rig.get("", target=target)[1]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "server" not in headers


def test_only_this_machine_can_connect(rig: PageRig) -> None:
    listener = rig.server._listener  # the address it is bound to is seen nowhere else
    assert listener is not None
    assert listener.getsockname()[0] == "127.0.0.1"


def test_the_token_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with PageRig(token="hush-hush") as rig:
        assert ask(rig.server.port, "/?token=hush-hush")[0] == 200
        assert ask(rig.server.port, "/?token=hush-hushed")[0] == 403
        assert "hush" not in repr(rig.server) + repr(PageAccess(rig.server.port, "hush-hush"))
    assert "hush" not in caplog.text
    assert "refused a request: token" in caplog.text


def test_each_start_has_a_new_token_by_default() -> None:
    tokens = {re.sub(r".*token=", "", _url_of_a_new_one()) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)


def _url_of_a_new_one() -> str:
    return page_server.PageServer(VirtualDeck(MODELS["mini"], "A1"), dict).url
