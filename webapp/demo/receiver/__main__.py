"""Runs the demo receiver: `python -m webapp.demo.receiver --http-port N --smtp-port M --inbox PATH`."""

import asyncio
import os
import signal
from argparse import ArgumentParser, Namespace
from pathlib import Path
from threading import Thread

from webapp.demo.receiver.http_server import HttpReceiver
from webapp.demo.receiver.https_server import HttpsReceiver
from webapp.demo.receiver.inboxes import Inboxes
from webapp.demo.receiver.smtp_server import listen_for_mail


def main() -> None:
    """Listen until SIGTERM or SIGINT. Exits with a message if a port is not available."""
    asyncio.run(_serve(_read_arguments()))


def _read_arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m webapp.demo.receiver",
        description="Stand in for Teams, Slack, a webhook and a mail server.",
    )
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--https-port", type=int, help="needs --certificates")
    parser.add_argument("--certificates", type=Path, help="the directory with the certificates")
    inbox = parser.add_mutually_exclusive_group(required=True)
    inbox.add_argument("--inbox", type=Path, help="the SQLite file in which messages are kept")
    inbox.add_argument("--inboxes", type=Path, help="the folder with one such file for each visitor, named by a key")
    parser.add_argument("--signing-secret-file", type=Path, help="the file with the secret that signs webhooks")
    return parser.parse_args()


async def _serve(arguments: Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    inboxes = Inboxes(arguments.inboxes or arguments.inbox, has_keys=arguments.inboxes is not None)
    inboxes.prepare()
    http = _listen_for_http(arguments, inboxes)
    https = _listen_for_https(arguments, inboxes) if arguments.https_port else None
    try:
        mail = await listen_for_mail(arguments.smtp_port, inboxes)
    except OSError as error:
        raise SystemExit(_describe_error(arguments.smtp_port, error)) from error
    servers = [http, https] if https else [http]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    print("listening", flush=True)
    await stop.wait()
    mail.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def _listen_for_http(arguments: Namespace, inboxes: Inboxes) -> HttpReceiver:
    try:
        return HttpReceiver(arguments.http_port, inboxes, arguments.signing_secret_file)
    except OSError as error:
        raise SystemExit(_describe_error(arguments.http_port, error)) from error


def _listen_for_https(arguments: Namespace, inboxes: Inboxes) -> HttpsReceiver:
    try:
        return HttpsReceiver(
            arguments.https_port, inboxes, arguments.signing_secret_file, certificates=arguments.certificates
        )
    except OSError as error:
        raise SystemExit(_describe_error(arguments.https_port, error)) from error


def _describe_error(port: int, error: OSError) -> str:
    return f"The demo receiver can't listen on port {port}: {os.strerror(error.errno or 0)}."


if __name__ == "__main__":
    main()
