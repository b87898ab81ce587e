"""One HTTP exchange with one address: bytes out, a whole answer in, within limits of time and size.

Belongs here: the session, where it may go, what a failed connection is called. Not here: TLS and the limits on the wire
(`wire`), what is asked, and what a status or a body means (`client`, `replies`).
"""

from __future__ import annotations

import errno
import http.client
import io
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
import urllib3
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from openbalance_hid import __version__
from openbalance_hid.errors import OfflineError, ServerError
from openbalance_hid.openrouter.deadline_adapter import Allowance, DeadlineAdapter
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL
from openbalance_hid.secret import Secret

if TYPE_CHECKING:
    from openbalance_hid.openrouter.http_limits import HttpLimits

# Whatever else is installed: these are decoded piece by piece. One at a time: five gzips in one another make a petabyte.
_ASKED_CODINGS = ("gzip", "deflate")
_CODINGS = frozenset({*_ASKED_CODINGS, "identity", ""})

_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
# Not urllib3's own TimeoutError: every connection that cannot be made, refused ones too, is one of those.
_TIMEOUTS = (requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)

# The first row that fits any link of the chain of exceptions. Their own texts are never shown: a proxy's password can be there.
_WHY: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (requests.exceptions.ProxyError, "the proxy does not let the connection through"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "its name does not resolve"),
    (ConnectionRefusedError, "the connection was refused"),
    (_TIMEOUTS, "no answer in time"),
    ((ConnectionError, http.client.RemoteDisconnected), "the connection was closed without an answer"),
)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back. `body` is whole and decoded."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes


class HttpSession:
    """A session tied to one address and one key, or none. For one thread."""

    def __init__(self, secret: Secret | None, base_url: str, limits: HttpLimits, mono: Callable[[], float]) -> None:
        """`base_url` has passed `checked_base_url`; `secret` None: asks as nobody."""
        self._base_url = base_url
        self._host = base_url.split("/")[2]
        self._limits = limits
        self._allowance = Allowance(mono)
        self._session = requests.Session()
        # Nothing of the environment: neither ~/.netrc nor REQUESTS_CA_BUNDLE may decide who gets the key. What is left are its
        # proxies, which see a tunnel and no key; they are for the world outside, and a loopback address is never that.
        self._session.trust_env = False
        self._session.proxies = get_environ_proxies(base_url) if base_url == OPENROUTER_URL else {}
        self._session.adapters.clear()  # any other address has no way out at all
        self._session.mount(base_url + "/", DeadlineAdapter(self._allowance))
        self._session.auth = _Bearer(secret) if secret is not None else None
        self._session.headers.update(
            {
                "User-Agent": f"openbalance-hid/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": ", ".join(_ASKED_CODINGS),
            }
        )

    def run(self, method: str, path: str, body: bytes | None, largest_bytes: int) -> HttpResponse:
        """The answer. OfflineError when there is none in time, ServerError when it breaks off or is too long."""
        self._allowance.start(self._limits.total_s, largest_bytes)
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                timeout=(self._limits.connect_s, self._limits.read_s),
                allow_redirects=False,
                stream=True,
            )
        except _FAILURES as error:
            raise OfflineError(f"cannot reach {self._host}: {_why(error)}") from error
        with response:
            return HttpResponse(response.status_code, response.headers, self._read(response, path, largest_bytes))

    def close(self) -> None:
        self._session.close()

    def _read(self, response: requests.Response, path: str, largest_bytes: int) -> bytes:
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in _CODINGS:
            raise ServerError(f"{path} answered in an encoding that was not asked for")
        body = io.BytesIO()  # what it has gathered comes out without a copy
        try:
            for piece in response.iter_content(65_536):
                body.write(piece)
                if body.tell() > largest_bytes:
                    raise ServerError(f"{path} answered with more than {largest_bytes} bytes")
        except _FAILURES as error:
            if any(isinstance(link, _TIMEOUTS) for link in _chain(error)):
                raise OfflineError(f"cannot reach {self._host}: the answer did not end in time") from error
            raise ServerError(f"the answer of {path} broke off after {body.tell()} bytes") from error
        return body.getvalue()


class _Bearer(AuthBase):
    """Sets the header. An object of its own, because without one requests would look for a password in ~/.netrc."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


def _why(error: BaseException) -> str:
    links = tuple(_chain(error))
    for kinds, words in _WHY:
        if any(isinstance(link, kinds) for link in links):
            return words
    if any(isinstance(link, OSError) and link.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) for link in links):
        return "the network is unreachable"
    return "the connection failed"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything it was made from: requests and urllib3 wrap through causes, arguments and `reason`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and not any(link is each for each in seen):
            seen.append(link)
            yield link
            waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
