"""The wire format of protocol buffers, read field by field.

Written here since the readers there are build objects of a whole file, nested as deeply as it says, before anybody has
looked at it. This one goes over bytes, keeps nothing, and says what is not well formed.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

Value = int | memoryview


class Malformed(ValueError):
    """Bytes that are no message."""


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """The number and value of each field, in order: an unsigned integer, or the bytes of what has a length.

    Raises `Malformed` where a field reaches beyond the end, or is of a kind that does not exist.
    """
    at, end = 0, len(message)
    while at < end:
        tag = message[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = _varint(message, at, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise Malformed("a field has no number")
        value: Value
        if kind == VARINT:
            value, at = _varint(message, at, end)
        elif kind == BYTES:
            length, at = _varint(message, at, end)
            if length > end - at:
                raise Malformed("a field reaches beyond the end")
            value, at = message[at : at + length], at + length
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
            if size > end - at:
                raise Malformed("a field reaches beyond the end")
            (value,) = struct.unpack_from("<I" if kind == FIXED32 else "<Q", message, at)
            at += size
        else:
            raise Malformed("a field is of an unknown kind")
        yield number, value


def varints(packed: memoryview) -> Iterator[int]:
    """Integers that stand one after the other."""
    at, end = 0, len(packed)
    while at < end:
        value, at = _varint(packed, at, end)
        yield value


def signed(value: int) -> int:
    """A 64-bit integer that was read without its sign."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: Value) -> str:
    if isinstance(value, int):
        raise Malformed("a text is a number")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a text is not in UTF-8") from error


def message_in(value: Value) -> memoryview:
    if isinstance(value, int):
        raise Malformed("a message is a number")
    return value


def number_in(value: Value) -> int:
    if not isinstance(value, int):
        raise Malformed("a number is a message")
    return signed(value)


def _varint(message: memoryview, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(end, at + _LONGEST_VARINT)):
        byte = message[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, place + 1
        shift += 7
    raise Malformed("a number does not end")
