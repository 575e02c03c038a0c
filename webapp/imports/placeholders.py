"""Recognizes values that a file does not really have: references to other places, and words for hidden secrets."""

import re

# What stands for a value that is in another place.
HIDDEN = "<secret>"

# What tools and people write instead of a secret.
_HIDDEN = re.compile(
    r"<(?!\w+://)[\w .:|/-]{0,80}>"  # <secret>, <redacted>, <your webhook>
    r"|[\[(](?:redacted|hidden|masked|secret|removed|filtered)[\])]"
    r"|(?:redacted|changeme|change[_-]me|hidden|masked)"
    r"|[*•●·xX.…]{3,}",
    re.IGNORECASE,
)

# What another program replaces, anywhere in a value.
_REPLACED = re.compile(
    r"\$\{[^}$]{0,200}\}"  # ${TOKEN}, as environment variables are written
    r"|\$__[A-Za-z]+\{"  # $__file{...}, $__env{...}, $__vault{...}: Grafana
    r"|\$\([A-Za-z_][A-Za-z0-9_]*\)"  # $(TOKEN): Kubernetes
    r"|(?:^|(?<=[/=:]))\$[A-Za-z_][A-Za-z0-9_]*(?=$|[/&])"  # $TOKEN, as a whole or as a part of an address
    r"|<(?:secret|redacted)>"
    r"|\[REDACTED\]"
    r"|\*{6,}"
)

# Values that only another program can decrypt or look up.
_SEALED = re.compile(r"ENC\[|\$ANSIBLE_VAULT;|vault:|op://|arn:aws:secretsmanager:|projects/[^/]+/secrets/|!vault")

_TEMPLATE = re.compile(r"\{\{")


def is_reference(text: str) -> bool:
    """Check whether a value stands for another that is not in the file."""
    return bool(_HIDDEN.fullmatch(text) or _REPLACED.search(text) or _SEALED.match(text) or is_template(text))


def is_template(text: str) -> bool:
    """Check whether the other tool computes the value from each alert."""
    return _TEMPLATE.search(text) is not None
