"""What proves and what hides: the right key opens, and nothing else does."""

from __future__ import annotations

import pytest

from sync_protocol.crypto import seal, signature
from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey, random_bytes, verify
from sync_protocol.errors import BadSignatureError, MalformedMessageError, WrongKeyError
from sync_protocol.identity import device_id

KEY = SigningKey(b"k" * 32)
READER = AgreementKey(b"r" * 32)


def test_a_signature_verifies_under_its_key_domain_and_parts_only() -> None:
    proof = signature.sign(KEY, signature.SEAL, b"part", b"rest")
    signature.check(KEY.public, proof, signature.SEAL, b"part", b"rest")
    assert len(proof) == signature.SIGNATURE_BYTES
    for public, domain, rest in (
        (SigningKey(b"o" * 32).public, signature.SEAL, b"rest"),
        (KEY.public, signature.MESSAGE, b"rest"),
        (KEY.public, signature.SEAL, b"resu"),
    ):
        with pytest.raises(BadSignatureError):
            signature.check(public, proof, domain, b"part", rest)


@pytest.mark.parametrize(
    ("public", "proof"),
    [(b"", bytes(64)), (b"k" * 31, bytes(64)), (KEY.public, b""), (KEY.public, bytes(63))],
)
def test_what_is_no_key_or_no_signature_verifies_nothing(public: bytes, proof: bytes) -> None:
    with pytest.raises(BadSignatureError):
        verify(public, proof, b"message")


def test_keys_have_thirty_two_bytes() -> None:
    for bad in (b"", b"k" * 31, b"k" * 33):
        with pytest.raises(WrongKeyError):
            SigningKey(bad)
        with pytest.raises(WrongKeyError):
            AgreementKey(bad)


def test_a_device_is_named_by_its_public_key() -> None:
    keys = DeviceKeys.generate()
    assert keys.id == device_id(keys.public)
    assert DeviceKeys.generate().public != keys.public
    assert len(random_bytes(7)) == 7


def test_what_is_encrypted_opens_under_its_key_and_purpose_only() -> None:
    key = b"s" * 32
    sealed = seal.encrypt(key, b"plain", b"purpose")
    assert seal.decrypt(key, sealed, b"purpose") == b"plain"
    assert sealed != seal.encrypt(key, b"plain", b"purpose")
    bad = [
        (b"t" * 32, sealed, b"purpose"),
        (key, sealed, b"other"),
        (key, sealed[:-1], b"purpose"),
        (key, sealed[:27], b"purpose"),
        (key, b"", b"purpose"),
    ]
    for wrong_key, raw, purpose in bad:
        with pytest.raises(BadSignatureError):
            seal.decrypt(wrong_key, raw, purpose)


def test_what_is_sealed_to_a_key_opens_with_it_only() -> None:
    sealed = seal.seal_to(READER.public, b"plain", b"purpose")
    assert len(sealed) == len(b"plain") + seal.HPKE_OVERHEAD_BYTES
    assert seal.open_sealed(READER, sealed, b"purpose") == b"plain"
    for reader, raw, purpose in (
        (AgreementKey(b"o" * 32), sealed, b"purpose"),
        (READER, sealed, b"other"),
        (READER, sealed[:-1], b"purpose"),
        (READER, b"", b"purpose"),
        (READER, bytes(100), b"purpose"),
    ):
        with pytest.raises(WrongKeyError):
            seal.open_sealed(reader, raw, purpose)


@pytest.mark.parametrize("public", [b"", b"k" * 31, b"k" * 33, bytes(32)])
def test_nothing_is_sealed_to_what_is_no_point(public: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        seal.seal_to(public, b"plain", b"purpose")


def test_one_key_gives_another_for_each_purpose() -> None:
    assert len(seal.derive(b"k" * 32, b"a")) == seal.KEY_BYTES
    assert seal.derive(b"k" * 32, b"a") != seal.derive(b"k" * 32, b"b")
    assert seal.derive(b"k" * 32, b"a") == seal.derive(b"k" * 32, b"a")


def test_a_pin_alone_opens_nothing() -> None:
    one = seal.key_from_pin("123456", b"saltsalt", b"device secret")
    assert one == seal.key_from_pin("123456", b"saltsalt", b"device secret")
    assert one != seal.key_from_pin("123456", b"saltsalt", b"another device")
    assert one != seal.key_from_pin("123457", b"saltsalt", b"device secret")
