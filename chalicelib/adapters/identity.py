"""Ids: unguessable, ordered by time (UUID version 7, RFC 9562 section 5.7)."""

import os
import time
import uuid


def new_id() -> uuid.UUID:
    """48 bits of milliseconds since the epoch, then 74 random bits."""
    value = int.from_bytes(os.urandom(16), "big") & ~(0xFFFF_FFFF_FFFF << 80)
    value |= (time.time_ns() // 1_000_000) << 80
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
