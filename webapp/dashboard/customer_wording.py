"""Words an outcome for a customer, who can change their receiver, but neither a destination nor this installation."""

import re
from dataclasses import replace

from webapp.deliveries.badge import Outcome

ASK = "Ask the person who sent you this link."
ASK_OTHERWISE = "If that does not help, ask the person who sent you this link."
OUR_SETTINGS = "The message could not be sent because of a setting of Alertcheck."

_FOR_ADMINISTRATOR = "Ask your Alertcheck administrator"

# Sentences about the installation or the destination's settings are for the members of the workspace.
_FOR_MEMBERS = re.compile(r"Alertcheck administrator|ALERTCHECK_|\b[Ee]nter\b|Alertcheck server")


def word_for_customer(outcome: Outcome) -> Outcome:
    """Return an outcome without what only members can do or need to know."""
    sentence = OUR_SETTINGS if "ALERTCHECK_" in outcome.sentence else outcome.sentence
    return replace(outcome, sentence=sentence, next_step=outcome.next_step and _word_next_step(outcome.next_step))


def _word_next_step(text: str) -> str:
    if text.startswith(_FOR_ADMINISTRATOR):  # also what follows
        return ASK
    sentences = re.split(r"(?<=[.?!]) ", text)
    kept = [sentence for sentence in sentences if not _FOR_MEMBERS.search(sentence)]
    if len(kept) == len(sentences):
        return text
    return " ".join([*kept, ASK_OTHERWISE if kept else ASK])
