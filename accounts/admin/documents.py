"""JSON that staff type."""

from __future__ import annotations

import json
from typing import Any

from django import forms

DEEPEST = 100  # arrays and objects within each other: nothing that is stored goes nearly so deep


class _Decoder(json.JSONDecoder):
    """Whatever cannot be read is no JSON: also what nests too deep to be walked, and numbers too long to be one."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            value = super().decode(s, *args)
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), s, 0) from error
        if _depth(value) > DEEPEST:
            raise json.JSONDecodeError("nests too deep", s, 0)
        return value


class DocumentField(forms.JSONField):
    """A form's JSON field that refuses every text which is none, where Django's fails at some."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(decoder=_Decoder, **kwargs)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return depth
