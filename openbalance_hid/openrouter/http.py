"""One HTTP request to one address: bytes out, a whole response in, within limits of time and size.

Belongs here: the session, its only address, and the message for a failed connection. Not here: TLS and the limits while
reading (`deadline_adapter`), the requests, and what a status or a body means (`client`, `replies`).
"""

from __future__ import annotations

import http.client
import io
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
import urllib3
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from openbalance_hid import __version__
from openbalance_hid.errors import OfflineError, ServerError, TooLargeError, WrongClockError
from openbalance_hid.hints import clock_hint, hint
from openbalance_hid.openrouter.deadline_adapter import DeadlineAdapter, ReadBudget, ResponseTooLargeError
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.failure_cause import TIMEOUTS, chain, failure_cause
from openbalance_hid.openrouter.replies import POSSIBLE_YEARS
from openbalance_hid.openrouter.session import HttpResponse, give_way
from openbalance_hid.secret import Secret

# Only these are decoded piece by piece, whatever else is installed. Only one at a time: five nested gzips make a petabyte.
_ACCEPTED_CODINGS = ("gzip", "deflate")
_CODINGS = frozenset({*_ACCEPTED_CODINGS, "identity", ""})

_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)

# OpenSSL's X509_V_ERR_… (openssl/x509_vfy.h).
_OUTSIDE_OF_ITS_TIME = (9, 10)  # CERT_NOT_YET_VALID, CERT_HAS_EXPIRED
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)  # no issuer found, self-signed, or not verifiable
_OTHER_NAME = 62  # HOSTNAME_MISMATCH


class RequestsSession:
    """An `HttpSession` in this process, by the library requests."""

    def __init__(
        self,
        secret: Secret | None,
        base_url: str,
        limits: HttpLimits,
        ca_file: Path | None = None,
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        """See `session.NewSession`. `mono`: monotonic seconds."""
        self._base_url = base_url
        self._host = base_url.split("/")[2]
        self._limits = limits
        self._budget = ReadBudget(mono)
        self._session = requests.Session()
        # Neither ~/.netrc nor REQUESTS_CA_BUNDLE may decide which server gets the key. Of the environment only its proxies are
        # used, which see a tunnel and no key, and never for a loopback address.
        self._session.trust_env = False
        self._session.proxies = get_environ_proxies(base_url) if base_url.startswith("https://") else {}
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # kept, they would grow for months
        self._session.adapters.clear()  # no other address can be requested
        self._session.mount(base_url + "/", DeadlineAdapter(self._budget, ca_file))
        self._session.auth = _Bearer(secret) if secret is not None else None
        self._session.headers.update(
            {
                "User-Agent": f"openbalance-hid/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": ", ".join(_ACCEPTED_CODINGS),
            }
        )

    def run(
        self, method: str, path: str, body: bytes | None, largest_bytes: int, take: Callable[[bytes], object] | None = None
    ) -> HttpResponse:
        """See `HttpSession.run`."""
        self._budget.start(self._limits.total_s if take is None else self._limits.stream_s, largest_bytes)
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
        except requests.exceptions.InvalidSchema as error:  # "Missing dependencies for SOCKS support."
            raise OfflineError(f"cannot reach {self._host}: no support for this kind of proxy") from error
        except (*_FAILURES, TypeError) as error:
            untrusted = next((link for link in chain(error) if isinstance(link, ssl.SSLCertVerificationError)), None)
            if untrusted is not None:
                raise self._untrusted(untrusted.verify_code) from error
            raise OfflineError(f"cannot reach {self._host}: {failure_cause(error, bool(self._session.proxies))}") from error
        with response:
            taken = self._read(response, path, largest_bytes, take if response.status_code == 200 else None)
            sent_at, retry_after = response.headers.get("Date"), response.headers.get("Retry-After")
            return HttpResponse(response.status_code, taken, http_date(sent_at), _retry_after(retry_after))

    def close(self) -> None:
        """See `HttpSession.close`."""
        self._session.close()

    def _untrusted(self, verify_code: int) -> OfflineError:
        """Return the error for a certificate. `verify_code`: OpenSSL's (openssl-verification-options(1))."""
        reached = f"cannot reach {self._host}: its certificate is"
        if verify_code in _OUTSIDE_OF_ITS_TIME:
            today = datetime.now(UTC).date()
            return WrongClockError(f"{reached} not valid on {today}, the date of this machine's clock", clock_hint())
        if verify_code == _OTHER_NAME:
            return OfflineError(f"{reached} for another name")
        if verify_code in _UNKNOWN_ISSUER:
            words = "from an unknown issuer; a proxy may inspect the connection: its root certificate belongs in ca_file"
            return OfflineError(f"{reached} {words}", hint("the certificate is from an unknown issuer"))
        return OfflineError(f"{reached} not trusted")

    def _read(
        self, response: requests.Response, path: str, largest_bytes: int, take: Callable[[bytes], object] | None
    ) -> bytes:
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in _CODINGS:
            raise ServerError(f"{path} answered in an encoding that was not asked for")
        body = io.BytesIO()  # `getvalue` returns what it holds without a copy
        too_large, count = f"{path} answered with more than {largest_bytes} bytes", 0
        try:
            for piece in response.iter_content(65_536):
                count += len(piece)
                if count > largest_bytes:
                    raise TooLargeError(too_large)
                if take is None:
                    body.write(piece)
                else:
                    take(piece)
                    give_way(piece)
        except _FAILURES as error:
            if any(isinstance(link, ResponseTooLargeError) for link in chain(error)):
                raise TooLargeError(too_large) from error
            if any(isinstance(link, TIMEOUTS) for link in chain(error)):
                raise OfflineError(f"cannot reach {self._host}: the answer did not end in time") from error
            raise ServerError(f"the answer of {path} broke off after {count} bytes") from error
        return body.getvalue()


class _Bearer(AuthBase):
    """Writes the Authorization header. Without an auth object requests would look for a password in ~/.netrc."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


def http_date(header: str | None) -> datetime | None:
    """Return the instant of a header, aware UTC; None if it is no date of a server's clock."""
    try:
        at = parsedate_to_datetime(header or "")
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at if at.year in POSSIBLE_YEARS else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _retry_after(header: str | None) -> float | datetime | None:
    seconds = (header or "").strip()
    return float(seconds) if re.fullmatch(r"[0-9]{1,9}", seconds) else http_date(header)
