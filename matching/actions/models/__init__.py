"""Scoring models: registered, in the shadow, live, retired; and the segments they serve."""

from matching.actions.models.files import add_model_file, keep_model_file, try_model_file
from matching.actions.models.lifecycle import (
    earlier_model,
    promote_model,
    retire_model,
    roll_back,
    shadow_model,
    take_back,
)
from matching.actions.models.registering import add_model
from matching.actions.models.segments import (
    change_segment,
    create_segment,
    move_earlier,
    move_later,
    move_segment,
)
from matching.actions.models.serving import ensure_default_model, live_model, serving_now

__all__ = [
    "add_model",
    "add_model_file",
    "change_segment",
    "create_segment",
    "earlier_model",
    "ensure_default_model",
    "keep_model_file",
    "live_model",
    "move_earlier",
    "move_later",
    "move_segment",
    "promote_model",
    "retire_model",
    "roll_back",
    "serving_now",
    "shadow_model",
    "take_back",
    "try_model_file",
]
