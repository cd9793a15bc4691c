"""The one byte form: MessagePack through msgspec, zstd within bounds. Set in stone.

What holds:
* Bytes that are hashed or signed are kept and forwarded as they came, never made again.
* What we write is canonical: shortest forms, no floats; whoever writes a map sorts its keys.
  Structures travel as arrays; a newer version may append items, which an older one ignores and
  forwards.
* Any bytes decode to the asked-for type or raise `MalformedMessageError`; nothing else comes out.
* Nothing is decompressed beyond the bound that the caller names.
"""

from __future__ import annotations

import sys
import zlib
from typing import TypeVar

import msgspec

from sync_protocol.errors import LimitExceededError, MalformedMessageError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[object, msgspec.msgpack.Decoder[object]] = {}
LEVEL = 3
WINDOW_LOG_MAX = 25
"""32 MiB: a block's prefix is in reach where blocks are that large, which real ones are not."""
_READING: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG_MAX}


def encode(value: object) -> bytes:
    """Return the canonical MessagePack of `value` (None, bool, int, str, bytes, list, dict)."""
    return _encoder.encode(value)


def decode(raw: bytes | memoryview, kind: type[T]) -> T:
    """Read MessagePack as `kind`. Raises `MalformedMessageError`."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        return decoder.decode(raw)  # type: ignore[return-value]  # the table is keyed by the type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as cause:
        raise MalformedMessageError(
            "A message could not be read; it was refused and nothing was changed.",
            wanted=getattr(kind, "__name__", str(kind)),
        ) from cause


def compress(raw: bytes, level: int = LEVEL, prefix: bytes | None = None) -> bytes:
    """Compress with zstd, against `prefix` where both sides hold it; the frame states its size."""
    if prefix is None:
        return zstd.compress(raw, level)
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.window_log: _window_log(len(prefix) + len(raw)),
    }
    dictionary = zstd.ZstdDict(prefix, is_raw=True)
    return zstd.compress(raw, options=options, zstd_dict=dictionary.as_prefix)


def _window_log(size: int) -> int:
    return min(max(size.bit_length(), 10), WINDOW_LOG_MAX)


def decompress(packed: bytes | memoryview, bytes_max: int, prefix: bytes | None = None) -> bytes:
    """Decompress one zstd frame of at most `bytes_max` bytes of content.

    Raises `MalformedMessageError` or `LimitExceededError`.
    """
    try:
        if prefix is None:
            reader = zstd.ZstdDecompressor(options=_READING)
        else:
            dictionary = zstd.ZstdDict(prefix, is_raw=True)
            reader = zstd.ZstdDecompressor(zstd_dict=dictionary.as_prefix, options=_READING)
        raw = reader.decompress(packed, bytes_max + 1)
    except (zstd.ZstdError, ValueError, EOFError, MemoryError) as cause:
        raise MalformedMessageError("Compressed bytes are damaged.") from cause
    if len(raw) > bytes_max:
        raise LimitExceededError("Compressed bytes unfold beyond their bound.", bytes_max=bytes_max)
    if not reader.eof or reader.unused_data:
        raise MalformedMessageError("Compressed bytes are cut off or have a tail.")
    return raw


def checksum(raw: bytes | memoryview, before: int = 0) -> int:
    """Return the CRC-32 of `raw` (after what gave `before`): finds rot, proves nothing."""
    return zlib.crc32(raw, before)
