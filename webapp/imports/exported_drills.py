"""What our own export says about the drills of a destination: only what is not the default."""

from collections.abc import Mapping

from webapp.imports.file_contents import FoundDrills
from webapp.imports.file_values import Node, get_text
from webapp.imports.receiver_draft import Draft
from webapp.models import AlertDestination, DrillChoice

CHOICE, MAY_PAGE, NEEDS_CONFIRMATION = KEYS = ("drills", "drills_may_page", "needs_confirmation")


def describe_drills(destination: AlertDestination) -> dict[str, str | bool]:
    """Return the keys of a destination with their values."""
    described: dict[str, str | bool] = {}
    if destination.drill_choice is not DrillChoice.FOLLOW:
        described[CHOICE] = destination.drill_choice.value
    if destination.drills_may_page:
        described[MAY_PAGE] = True
    if destination.needs_confirmation:
        described[NEEDS_CONFIRMATION] = True
    return described


def read_drills(destination: Mapping[str, Node], draft: Draft) -> FoundDrills:
    """Return the drills of a destination. An invalid value is left out, with a note."""
    may_page, needs_confirmation = (_read_yes(destination, key, draft) for key in (MAY_PAGE, NEEDS_CONFIRMATION))
    return FoundDrills(_read_choice(destination, draft), may_page, needs_confirmation)


def _read_choice(destination: Mapping[str, Node], draft: Draft) -> DrillChoice:
    word = get_text(destination.get(CHOICE)) or DrillChoice.FOLLOW.value
    if word in list(DrillChoice):
        return DrillChoice(word)
    draft.note(f"{CHOICE} is left out: it has to be {', '.join(DrillChoice)}.")
    return DrillChoice.FOLLOW


def _read_yes(destination: Mapping[str, Node], key: str, draft: Draft) -> bool:
    word = get_text(destination.get(key))
    if word not in ("", "true", "false"):
        draft.note(f"{key} is left out: it has to be true or false.")
    return word == "true"
