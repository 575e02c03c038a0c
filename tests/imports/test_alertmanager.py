"""Tests how an alertmanager.yml is read."""

from textwrap import dedent

from webapp.imports.found import FoundFile, FoundReceiver, Unusable
from webapp.imports.reading import read_file


def read(text: str) -> FoundFile:
    return read_file(dedent(text))


def read_one(text: str) -> FoundReceiver:
    (receiver,) = read(text).receivers
    return receiver


def test_slack_s_webhook_is_found_with_the_receiver_s_name() -> None:
    found = read_one(
        """
        route: {receiver: pager}
        receivers:
          - name: harbor team
            slack_configs:
              - api_url: https://hooks.slack.com/services/T1/B1/abc
                channel: '#harbor'
                send_resolved: true
        """
    )
    assert (found.name, found.channel) == ("harbor team", "slack")
    assert found.settings == {"address": "https://hooks.slack.com/services/T1/B1/abc"}
    assert found.dropped == (
        "The channel is left out: the message goes to the channel for which the webhook was created.",
    )


def test_a_retired_connector_says_what_to_do_instead() -> None:
    found = read_one(
        """
        receivers:
          - name: bridge
            msteams_configs: [{webhook_url: 'https://acme.webhook.office.com/webhookb2/x'}]
        """
    )
    assert found.unusable is Unusable.RETIRED
    assert "Create a workflow" in found.reason
