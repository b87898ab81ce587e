"""Post one message to an address that the user has configured: without any key, without following a redirect.

Here because all HTTP is in this package: the limits of `http` and the certificate check of `deadline_adapter` hold for these
addresses too. An address is a secret, so no message has more of it than its host.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from openbalance_hid import errors
from openbalance_hid.hints import hint
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import NewSession, own_session

LIMITS = HttpLimits(connect_s=5.0, read_s=10.0, total_s=10.0, body_bytes=64 * 1024)
_LONGEST_RETRY_AFTER_S = 3600.0


class WebhookError(errors.ApiError):
    """A message was not accepted. `retry_after_s`: how long the server wants a client to wait, or None."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint("an alert was not accepted"))
        self.retry_after_s = retry_after_s


def post(
    base_url: str,
    target: str,
    body: bytes,
    ca_file: Path | None = None,
    limits: HttpLimits = LIMITS,
    new_session: NewSession = own_session,
) -> None:
    """Post JSON and return when it is accepted with a 2xx status. Raises WebhookError.

    `base_url`: scheme, host and port; `ca_file`: root certificates beside the public ones.
    """
    host = base_url.split("/")[2]
    try:
        with closing(new_session(None, base_url, limits, ca_file)) as session:
            response = session.run("POST", target or "/", body, limits.body_bytes)
    except errors.OfflineError as error:
        raise WebhookError(error.message) from None  # the cause would quote the address in a traceback
    except errors.ServerError:
        raise WebhookError(f"{host} sent an answer that is too long or broke off") from None
    if 200 <= response.status < 300:
        return
    if 300 <= response.status < 400:
        raise WebhookError(f"{host} answered {response.status}: a redirect, which is not followed")
    after_s = response.retry_after
    wait_s = min(after_s, _LONGEST_RETRY_AFTER_S) if isinstance(after_s, float) else None
    raise WebhookError(f"{host} answered {response.status}", wait_s)
