"""Tries the way out from the command line, under the operator's settings.

    python -m webapp.outbound check URL    would the address be accepted when it is saved? Asks no network.
    python -m webapp.outbound post URL     send a small JSON message there, as a channel would.

`check` prints `ok` or the failure's code.
`post` prints one line of JSON: code, status (null without an answer) and seconds.
Exit status: 0 for ok, 1 for a failure, 2 for wrong use or settings.
"""

import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from time import monotonic

from webapp.failures import DeliveryFailed
from webapp.outbound.addresses import Policy, check_url
from webapp.outbound.http import post
from webapp.outbound.operator import policy_from
from webapp.outbound.statuses import name_status

_BODY = json.dumps({"type": "alerts.test", "data": {"text": "[TEST] Alertcheck"}}).encode("ascii")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, return its exit status."""
    parser = ArgumentParser(
        "python -m webapp.outbound", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("check", "post"))
    parser.add_argument("url", metavar="URL")
    given = parser.parse_args(arguments)
    try:
        policy = policy_from(os.environ)
    except ValueError as error:
        parser.error(str(error))
    return _check(given.url, policy) if given.command == "check" else _post(given.url, policy)


def _check(url: str, policy: Policy) -> int:
    try:
        check_url(url, policy)
    except DeliveryFailed as failure:
        print(failure.code)
        return 1
    print("ok")
    return 0


def _post(url: str, policy: Policy) -> int:
    started = monotonic()
    status: int | None = None
    try:
        status = post(url, _BODY, {"Content-Type": "application/json"}, policy).status
        code = name_status(status)
    except DeliveryFailed as failure:
        code = failure.code
    print(json.dumps({"code": code or "ok", "status": status, "seconds": round(monotonic() - started, 3)}))
    return 0 if code is None else 1


if __name__ == "__main__":
    sys.exit(main())
