"""The bodies of the refusals of the services that the receiver plays, by the service's name and the status.

Their form, and the words by which the channels recognize a refusal, are those of the sources that the channels' own
modules name. The rest is made up: whatever those sources leave out, such as most bodies of 404 and 503.
"""

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]

# Where a Telegram group has moved to. A message to this chat is accepted.
NEW_CHAT_ID = -1001440000000001
LATER_SECONDS = 3600

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_NTFY_HELP = "https://ntfy.sh/docs/publish/"


def _google(status: int, name: str, message: str) -> Body:
    return {"error": {"code": status, "message": message, "status": name}}


def _telegram(status: int, description: str, **parameters: int) -> Body:
    more = {"parameters": parameters} if parameters else {}
    return {"ok": False, "error_code": status, "description": description} | more


def _mattermost(status: int, name: str, message: str) -> Body:
    return {"id": name, "message": message, "detailed_error": "", "request_id": "demo", "status_code": status}


def _ntfy(code: int, error: str) -> Body:
    return {"code": code, "http": code // 100, "error": error, "link": _NTFY_HELP}


def _pushover(error: str, **invalid: str) -> Body:
    return {**invalid, "errors": [error], "status": 0, "request": _REQUEST_ID}


def _jira(message: str) -> Body:
    return {"message": message, "took": 0.1, "requestId": _REQUEST_ID}


def _pagerduty(status: str, message: str, *errors: str) -> Body:
    return {"status": status, "message": message} | ({"errors": list(errors)} if errors else {})


REFUSALS: Mapping[str, Mapping[int, Body]] = {
    "discord": {
        401: {"message": "Invalid Webhook Token", "code": 50027},
        404: {"message": "Unknown Webhook", "code": 10015},
        429: {"message": "You are being rate limited.", "retry_after": float(LATER_SECONDS), "global": False},
        503: {"message": "503: Service Unavailable", "code": 0},
    },
    "telegram": {
        401: _telegram(401, "Unauthorized"),
        404: _telegram(404, "Not Found"),
        429: _telegram(429, f"Too Many Requests: retry after {LATER_SECONDS}", retry_after=LATER_SECONDS),
        503: _telegram(503, "Service Unavailable"),
    },
    "pagerduty": {
        401: _pagerduty("invalid key", "Unauthorized"),
        404: _pagerduty("not found", "Not Found"),
        429: _pagerduty("throttle exceeded", "Requests for this service are arriving too quickly."),
        503: _pagerduty("unavailable", "Service Unavailable"),
    },
    "google_chat": {
        401: _google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        404: _google(404, "NOT_FOUND", "Requested entity was not found."),
        429: _google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        503: _google(503, "UNAVAILABLE", "The service is currently unavailable."),
    },
    "mattermost": {
        401: _mattermost(401, "api.context.session_expired.app_error", "Invalid or expired session."),
        404: _mattermost(404, "api.context.404.app_error", "Sorry, we could not find the page."),
        429: _mattermost(429, "api.context.rate_limited.app_error", "Limit exceeded."),
        503: _mattermost(503, "api.context.unavailable.app_error", "Service unavailable."),
    },
    "ntfy": {
        401: _ntfy(40101, "unauthorized"),
        404: _ntfy(40401, "page not found"),
        429: _ntfy(42908, "limit reached: daily message quota reached"),
        503: _ntfy(50301, "service unavailable"),
    },
    "pushover": {
        401: _pushover("application token is invalid", token="invalid"),  # noqa: S106 - the service's own word
        404: _pushover("no such page"),
        429: _pushover("message limit reached"),
        503: _pushover("internal server error"),
    },
    "jira_service_management": {
        401: _jira("Could not authenticate"),
        404: _jira("Not Found"),
        429: _jira("You are making too many requests!"),
        503: _jira("Service Unavailable"),
    },
}

# What a service may answer if something is turned off there: the status, and the body.
TURNED_OFF: Mapping[str, tuple[int, Body]] = {
    "teams": (400, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}),
    "discord": (404, REFUSALS["discord"][404]),
    "telegram": (403, _telegram(403, "Forbidden: bot was kicked from the group chat")),
    "pagerduty": (400, _pagerduty("invalid event", "Event object is invalid", "Invalid routing key")),
    "google_chat": (403, _google(403, "PERMISSION_DENIED", "The caller does not have permission")),
    "mattermost": (
        501,
        _mattermost(501, "web.incoming_webhook.disabled.app_error", "Incoming webhooks are disabled by the admin."),
    ),
    "ntfy": (403, _ntfy(40301, "forbidden")),
    "pushover": (400, _pushover("user identifier is not a valid user", user="invalid")),
    "jira_service_management": (403, _jira("The integration is turned off")),
}

# A group became a supergroup: https://core.telegram.org/bots/api#responseparameters
MIGRATED = _telegram(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=NEW_CHAT_ID)

# What PagerDuty and Jira Service Management may answer if they do not close an alert.
NOT_CLOSED: Mapping[str, tuple[int, Body]] = {
    "pagerduty": (400, _pagerduty("invalid event", "Event object is invalid", "'event_action' is invalid")),
    "jira_service_management": (422, _jira("Request body is not processable")),
}
