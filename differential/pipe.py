"""What parents and children of worker processes say to each other: lists of bytes over a pipe; and pickled values as such."""

from __future__ import annotations

import os
import pickle
import struct
from array import array
from collections.abc import Sequence
from typing import Any

_HEADER = struct.Struct("!Q")
Part = bytes | bytearray | memoryview


def pickled(value: Any) -> list[Part]:
    """A value as parts; large buffers, such as those of Arrow tables, are parts of their own as they are, without a copy.

    Each buffer is sent once, however many slices share it: the tables of a thousand worlds, edited one by one, are a thousand
    slices of what the engine made, and pickle names the whole buffer for each of them.
    """
    import pyarrow as pa  # not at the top: this module is also loaded under a Python that has no libraries, to say so

    buffers: list[pickle.PickleBuffer] = []
    payload = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    places: dict[tuple[int, int], int] = {}
    parts: list[Part] = []
    order = array("Q")
    for view in (buffer.raw() for buffer in buffers):
        key = pa.py_buffer(view).address, view.nbytes
        if key not in places:
            places[key] = len(parts)
            parts.append(view)
        order.append(places[key])
    return [payload, order.tobytes(), *parts]


def unpickled(parts: Sequence[bytearray]) -> Any:
    """The value that `pickled` made parts of; what was shared is shared again."""
    payload, order, *buffers = parts
    return pickle.loads(payload, buffers=[buffers[place] for place in array("Q", bytes(order))])


def send_parts(descriptor: int, parts: Sequence[Part]) -> None:
    """Write parts, their number and their lengths first."""
    views = [memoryview(part).cast("B") for part in parts]
    sizes = [view.nbytes for view in views]
    _write(descriptor, memoryview(_HEADER.pack(len(views)) + b"".join(_HEADER.pack(size) for size in sizes)))
    for view in views:
        _write(descriptor, view)


def receive_parts(descriptor: int) -> list[bytearray]:
    """Read the parts that `send_parts` wrote; raises EOFError when the other side is gone."""
    (count,) = _HEADER.unpack(_read_exactly(descriptor, _HEADER.size))
    sizes = [_HEADER.unpack(_read_exactly(descriptor, _HEADER.size))[0] for _ in range(count)]
    return [_read_exactly(descriptor, size) for size in sizes]


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def _read_exactly(descriptor: int, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = os.readv(descriptor, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return data
