"""Runs the outbound client from the command line, with the settings of the installation.

    python -m webapp.outbound check URL    check whether the address can be saved. Uses no network.
    python -m webapp.outbound post URL     send a small JSON message to the address, as a channel would.
    python -m webapp.outbound mail ADDRESS send a small mail through the mail server in ALERTCHECK_MAIL_URL.

`check` prints `ok` or the failure's code.
`post` and `mail` print one line of JSON: code, status (null without a response), seconds, may_have_arrived (whether
the receiver may have the message although the code is not `ok`) and warning (null, or a sentence about an accepted
message).
Exit status: 0 for ok, 1 for a failure, 2 for invalid arguments or settings.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from time import monotonic

from webapp.environment.settings_reader import Misconfigured
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.outbound.http.client import post
from webapp.outbound.http.response_classification import check_response
from webapp.outbound.policy.allowed_targets import Policy, check_url
from webapp.outbound.policy.urls import read_url
from webapp.outbound.settings import read_mail_server, read_policy
from webapp.outbound.smtp.client import MailServer, send_mail
from webapp.outbound.smtp.email_addresses import canonical_address, is_mail_address

_BODY = json.dumps({"type": "alerts.test", "data": {"text": "[TEST] Alertcheck"}}).encode("ascii")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    # argparse would treat an address that begins with a dash as an option.
    match list(sys.argv[1:] if arguments is None else arguments):
        case [("check" | "post") as command, url] | [("check" | "post") as command, "--", url]:
            return _run(command, url)
        case ["mail", address] | ["mail", "--", address]:
            return _run_mail(address)
        case ["-h" | "--help"]:
            print(__doc__)
            return 0
    print(__doc__, file=sys.stderr)
    return 2


def _run(command: str, url: str) -> int:
    try:
        policy = read_policy(os.environ)
    except Misconfigured as error:
        print(error, file=sys.stderr)
        return 2
    return _check(url, policy) if command == "check" else _post(url, policy)


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
    failure: DeliveryFailed | None = None
    status, warning = None, None
    try:
        response = post(url, _BODY, {"Content-Type": "application/json"}, policy)
        status = response.status
        warning = check_response(response, read_url(url).host)
    except DeliveryFailed as reason:
        failure = reason
    return _report(failure, status, monotonic() - started, warning)


def _report(failure: DeliveryFailed | None, status: int | None, seconds: float, warning: str | None) -> int:
    """Print the outcome of a message as one line of JSON, and return the exit status."""
    outcome = {
        "code": failure.code if failure else "ok",
        "status": status,
        "seconds": round(seconds, 3),
        "may_have_arrived": failure is not None and MEANINGS[failure.code].may_have_arrived,
        "warning": warning,
    }
    print(json.dumps(outcome))
    return 1 if failure else 0


def _run_mail(address: str) -> int:
    try:
        server = read_mail_server(os.environ)
    except Misconfigured as error:
        print(error, file=sys.stderr)
        return 2
    if server is None:
        print("ALERTCHECK_MAIL_URL is not set.", file=sys.stderr)
        return 2
    return _mail(canonical_address(address), server)


def _mail(recipient: str, server: MailServer) -> int:
    started = monotonic()
    try:
        if not is_mail_address(recipient):
            raise DeliveryFailed(Code.RECIPIENT_INVALID)
        response = send_mail(server, _compose(recipient, server), [recipient])
    except DeliveryFailed as failure:
        return _report(failure, failure.facts.status, monotonic() - started, None)
    return _report(None, response.status, monotonic() - started, response.warning)


def _compose(recipient: str, server: MailServer) -> EmailMessage:
    mail, now = EmailMessage(), datetime.now(UTC)
    # The time makes the subject differ from the last one's: mailboxes group messages with the same subject.
    mail["Subject"] = f"[TEST] Alertcheck, {now:%Y-%m-%d %H:%M:%S} UTC"
    mail["From"] = server.from_header
    mail["To"] = recipient
    mail["Date"] = now
    mail["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        "Someone ran a command of Alertcheck to check whether its mail server works. No action is needed.\n"
    )
    return mail


if __name__ == "__main__":
    sys.exit(main())
