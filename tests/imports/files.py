"""Files of other tools, written in the style of their documentation, with a secret in every place for one."""

from textwrap import dedent

from webapp.imports.file_contents import FileFormat, FoundFile, FoundReceiver
from webapp.imports.format_recognition import read_file

# Every secret of the files below contains this word.
SECRET = "h4rb0rS3cret"

ALERTMANAGER = f"""
global:
  resolve_timeout: 5m
  smtp_smarthost: mail.harbor.example:587
  smtp_auth_password: smtp-{SECRET}
  slack_api_url: https://hooks.slack.com/services/T0/B0/global-{SECRET}
  opsgenie_api_key: ops-{SECRET}
  telegram_bot_token: 110201543:AAH-{SECRET}
templates:
  - /etc/alertmanager/templates/*.tmpl
route:
  receiver: quay
  group_by: [alertname, berth]
  routes:
    - receiver: crane
      matchers: [team="crane"]
      routes:
        - receiver: night
          matchers: [severity="page"]
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="warning"]
    equal: [alertname]
time_intervals:
  - name: night
    time_intervals: [{{times: [{{start_time: '22:00', end_time: '24:00'}}]}}]
receivers:
  - name: quay
    slack_configs:
      - channel: '#quay'
        send_resolved: true
        title: '{{{{ template "slack.title" . }}}}'
      - api_url: https://hooks.slack.com/services/T1/B1/own-{SECRET}
      - app_token: xoxb-{SECRET}
        app_url: https://slack.com/api/chat.postMessage
        channel: '#quay'
    email_configs:
      - to: '"Desk, Night" <night@harbor.example>, day@harbor.example'
        from: alertmanager@harbor.example
        auth_password: mail-{SECRET}
  - name: crane
    webhook_configs:
      - url: https://crane.harbor.example/hook?key={SECRET}
        max_alerts: 10
        http_config:
          authorization: {{credentials: bearer-{SECRET}}}
          tls_config: {{insecure_skip_verify: true}}
          http_headers:
            X-Berth: {{values: [north], secrets: [header-{SECRET}]}}
    msteamsv2_configs:
      - webhook_url: https://prod-01.westeurope.logic.azure.com/workflows/a/triggers/manual/paths/invoke?sig={SECRET}
    msteams_configs:
      - webhook_url: https://harbor.webhook.office.com/webhookb2/{SECRET}
  - name: night
    pagerduty_configs:
      - routing_key: key-{SECRET}
        url: https://events.eu.pagerduty.com/v2/enqueue
      - service_key: old-{SECRET}
    opsgenie_configs:
      - tags: night
    telegram_configs:
      - chat_id: -1001234567890
        message_thread_id: 7
        parse_mode: HTML
    pushover_configs:
      - user_key: user-{SECRET}
        token: token-{SECRET}
    discord_configs:
      - webhook_url: https://discord.com/api/webhooks/1/{SECRET}
    mattermost_configs:
      - webhook_url: https://chat.harbor.example/hooks/{SECRET}
    victorops_configs:
      - api_key: vo-{SECRET}
        routing_key: night
  - name: blackhole
"""

GRAFANA = f"""
apiVersion: 1
contactPoints:
  - orgId: 1
    name: bridge
    receivers:
      - uid: cp_1
        type: webhook
        disableResolveMessage: false
        settings:
          url: https://bridge.harbor.example/in?token={SECRET}
          httpMethod: PUT
          username: bridge
          password: basic-{SECRET}
          headers: {{X-Pilot: pilot-{SECRET}}}
          maxAlerts: '5'
          title: '{{{{ template "default.title" . }}}}'
      - uid: cp_2
        type: slack
        settings: {{recipient: bridge, token: xoxb-{SECRET}}}
      - uid: cp_3
        type: telegram
        settings: {{bottoken: '12345:{SECRET}', chatid: '-100987', message_thread_id: '3', parse_mode: HTML}}
  - orgId: 1
    name: mast
    receivers:
      - uid: cp_4
        type: teams
        settings: {{url: 'https://x.environment.api.powerplatform.com/powerautomate/w?sig={SECRET}'}}
      - uid: cp_5
        type: kafka
        settings: {{kafkaRestProxy: 'https://{SECRET}', kafkaTopic: berths}}
      - uid: cp_6
        type: email
        settings: {{addresses: 'a@harbor.example;b@harbor.example', singleEmail: false}}
      - uid: cp_7
        type: pagerduty
        settings: {{severity: critical}}
        secureSettings: {{integrationKey: {SECRET}}}
deleteContactPoints:
  - {{orgId: 1, uid: old}}
policies:
  - {{orgId: 1, receiver: bridge}}
"""

APPRISE = f"""
# what the harbour had
tower=slack://T1JJ3T3L2/A1BRTD4JD/{SECRET}/#tower
discord://4174216298/{SECRET}?thread=99 # Pilots
tgram://110201543:{SECRET}/-100123/@harbor
mailto://watch:{SECRET}@harbor.example?to=night@harbor.example
jsons://gate:{SECRET}@gate.harbor.example:8443/in?+X-Gate={SECRET}&method=PUT&:berth=4
matrixs://watch:{SECRET}@matrix.harbor.example/#berth
"""


def read(text: str, file_format: FileFormat | None = None) -> FoundFile:
    return read_file(dedent(text), file_format)


def read_one(text: str, file_format: FileFormat | None = None) -> FoundReceiver:
    (receiver,) = read(text, file_format).receivers
    return receiver


def find(file: FoundFile, name: str) -> FoundReceiver:
    """Return the only receiver of this name."""
    (receiver,) = [each for each in file.receivers if each.name == name]
    return receiver


def spoken(file: FoundFile) -> str:
    """Return everything of a file that people or logs may see."""
    sentences = [sentence for each in file.receivers for sentence in (each.reason, *each.dropped)]
    return "\n".join([repr(file), *file.notes, *sentences])
