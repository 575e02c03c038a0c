"""Lets a receiver give a list of answers, one after another, and reads what it was sent."""

import json
import re
from collections.abc import Sequence
from typing import Any

from werkzeug import Request, Response

from tests.channels.conftest import RecordingReceiver

Answer = tuple[int, str | bytes]


def answer_in_turn(receiver: RecordingReceiver, answers: Sequence[Answer]) -> None:
    """Give each request the next answer. One more request than answers is a server error of the receiver."""
    left = iter(answers)

    def respond(request: Request) -> Response:
        status, body = next(left)
        return Response(body, status)

    receiver.server.clear_all_handlers()
    receiver.server.expect_request(re.compile("")).respond_with_handler(respond)


def bodies_of(receiver: RecordingReceiver) -> list[Any]:
    """Return the parsed bodies of all requests."""
    return [json.loads(request.get_data()) for request in receiver.requests]
