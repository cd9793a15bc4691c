"""Every exception of the engine, in one tree, cut by who must act next.

* `InputError`: the person at the form.            * `AccessError`: the person with the key.
* `PeerError`: the other replica; recorded with evidence, never retried as it is.
* `TransportError`: nobody; wait and try again.     * `StorageError`: whoever owns the disk.

Every error has a stable kebab-case `code` (on the wire, in logs, in docs/PROTOCOL.md), a
`diagnosis` for people (what happened, what is safe, what to do) and `evidence` for machines: ids
and numbers only, never a field's value. The sentence is an attribute and not a docstring, because
Android builds strip docstrings. A broken promise inside our own code is an `AssertionError`.
"""

from __future__ import annotations


class SyncError(Exception):
    """Root of the tree.

    `diagnosis` is the sentence shown to people; `evidence` maps names to ids and numbers.
    """

    code = "sync-error"
    retryable = False

    def __init__(self, diagnosis: str, **evidence: object) -> None:
        """Keep the sentence and the evidence."""
        super().__init__(diagnosis)
        self.diagnosis = diagnosis
        self.evidence = evidence


class InputError(SyncError):
    """The person at the form must correct something; nothing was changed."""

    code = "bad-input"


class SchemaError(InputError):
    """A record type, field or value does not fit the schema."""

    code = "schema"


class AttachmentRefusedError(InputError):
    """A scan is no image or document that we take, or larger than its bound."""

    code = "attachment-refused"


class NotAllowedError(InputError):
    """The officer's or device's role does not give this right."""

    code = "not-allowed"


class AccessError(SyncError):
    """A key is missing, wrong or locked."""

    code = "access"


class WrongKeyError(AccessError):
    """The key does not open this store, seal or backup."""

    code = "wrong-key"


class SlotLockedError(AccessError):
    """Too many wrong PINs: the officer's key slot is locked until a supervisor resets it."""

    code = "slot-locked"


class NotEnrolledError(AccessError):
    """This device has no grant yet: enrol it with an invitation."""

    code = "not-enrolled"


class PeerError(SyncError):
    """The other replica sent what we may not take."""

    code = "peer"


class MalformedMessageError(PeerError):
    """Bytes from outside do not decode to what they should be."""

    code = "malformed"


class UnsupportedVersionError(PeerError):
    """The peer speaks a version of the protocol that we do not."""

    code = "unsupported-version"


class LimitExceededError(PeerError):
    """Something from outside is larger than its bound."""

    code = "limit-exceeded"


class BadSignatureError(PeerError):
    """A signature, seal, hash or authentication tag does not verify."""

    code = "bad-signature"


class NotAdmittedError(PeerError):
    """The sender or writer holds no grant for this ward."""

    code = "not-admitted"


class StaleNonceError(PeerError):
    """The request is bound to a nonce that is not the newest: ask for a challenge, sign again."""

    code = "stale-nonce"


class WrongPeerError(PeerError):
    """Another identity answers at this address than the one we enrolled with."""

    code = "wrong-peer"


class WrongWardError(PeerError):
    """The message or bundle is for another ward."""

    code = "wrong-ward"


class FeedGapError(PeerError):
    """Entries are missing between what is held and what came."""

    code = "feed-gap"


class FeedForkError(PeerError):
    """A feed goes on in two ways; both are kept, and their common past is needed first."""

    code = "feed-fork"


class InvitationError(PeerError):
    """The invitation is spent, expired or not ours."""

    code = "invitation"


class TransportError(SyncError):
    """The line failed; nothing is lost, try again later."""

    code = "transport"
    retryable = True


class UnreachableError(TransportError):
    """Nobody answers at the address."""

    code = "unreachable"


class BusyError(TransportError):
    """The peer asks for patience; evidence `retry_after_s` says how long."""

    code = "busy"


class StorageError(SyncError):
    """The disk or the database needs its owner."""

    code = "storage"


class StoreCorruptError(StorageError):
    """Stored bytes fail their check."""

    code = "store-corrupt"


class StoreFullError(StorageError):
    """No room is left on the disk; what was acknowledged before is safe."""

    code = "store-full"


class StoreBusyError(StorageError):
    """Another process owns the store."""

    code = "store-busy"
    retryable = True


class NewerStoreError(StorageError):
    """The store was written by a newer version of the program."""

    code = "newer-store"
