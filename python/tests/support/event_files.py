"""Reads the event files of TensorBoard: records of a length, a checksum, a message, a checksum."""

import struct

from tensorboardX.proto import event_pb2


def scalars(folder):
    """Return the scalars of all event files of a folder: {name: {step: value}}."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content, position = path.read_bytes(), 0
        while position < len(content):
            (length,) = struct.unpack_from("<Q", content, position)
            event = event_pb2.Event.FromString(content[position + 12 : position + 12 + length])
            position += 16 + length
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found
