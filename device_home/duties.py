"""What a device does of itself once it has heard the news, and how scans are opened.

* An edge makes the ward's key where the ward has none. The private half rests in its vault, and
  sealed to the city's offline recovery key in the log.
* An edge takes the shares that are addressed to it, and shares what it holds with every other edge
  that has a grant, is not revoked, and has none.
* An edge takes back what it granted long ago and no hub has confirmed.
* The hub countersigns what edges granted while it was away.
* A tablet lets go, once a day, of what is closed, old, and safe elsewhere; an edge, of pieces of
  scans that were left there long ago, and that nothing names.

What holds: all of it is idempotent. A device without a grant, or with a revoked one, does nothing.
"""

from __future__ import annotations

from device_home.delegation import lapsed_grants
from device_home.home import Home
from device_home.notes import keep_let_go, last_let_go_ms
from sync_protocol import limits
from sync_protocol.attachment import Manifest, key_name, open_scan, scan_key
from sync_protocol.crypto import seal
from sync_protocol.crypto.key import AgreementKey, random_bytes
from sync_protocol.dossier.status import CLOSED
from sync_protocol.errors import AccessError, InputError, PeerError, WrongKeyError
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.identity import KEY_BYTES, NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.replica.lodging import sweep_lodged
from sync_protocol.replica.replica import SCAN_KEY_NOTE
from sync_protocol.replica.retention import sweep

WARD_KEY_PURPOSE = b"motcua/ward-key/1"
"""Under which the private half is sealed, to the recovery key and to other edges alike."""
_DAY_MS = 86_400_000
_SECRET = "ward-key:"  # noqa: S105 - the name of a secret, not one


def do_duties(home: Home, replica: Replica) -> int:
    """Do what is due; return how many statements were made."""
    roster = replica.holding.roster
    own = home.keys.public
    role = roster.role_of(own)
    if role == g.HUB:
        return Registrar(replica).countersign()
    if roster.revoked(own) is not None:
        return 0
    if role in (g.EDGE, g.TABLET):
        _let_go(home, replica)
    if role != g.EDGE:
        return 0
    _take_shares(home, replica)
    said: list[g.Statement] = []
    if roster.ward_key() is None and roster.certificate is not None:
        said.extend(_make_key(home, roster.certificate.recovery))
    said.extend(_shares_due(home, replica))
    said.extend(lapsed_grants(replica))
    if said:
        replica.say(said, NO_OFFICER)
    return len(said)


def _let_go(home: Home, replica: Replica) -> None:
    """Let go of what this device need not keep, if the last time was a day ago."""
    days = home.settings.number("retention_days", limits.RETENTION_DAYS)
    now, last = replica.character.wall(), last_let_go_ms(replica)
    if last is not None and abs(now - last) < _DAY_MS:
        return
    if days > 0:
        sweep(replica, CLOSED, days)  # a tablet's: an edge lets go of no dossier
    sweep_lodged(replica)
    keep_let_go(replica)


def keep_ward_key(home: Home, key: AgreementKey) -> None:
    """Keep the private half of a ward key in the vault."""
    home.vault.put_secret(_SECRET + key.public.hex(), key.secret)


def ward_key(home: Home, public: bytes) -> AgreementKey | None:
    """Return a ward key whose private half is kept here, or None."""
    secret = home.vault.secret(_SECRET + public.hex())
    return None if secret is None else AgreementKey(secret)


def _make_key(home: Home, recovery: bytes) -> list[g.Statement]:
    """Make the ward's key; it is shared with ourselves too, so that no other edge thinks it due."""
    key = AgreementKey(random_bytes(KEY_BYTES))
    keep_ward_key(home, key)
    sealed = seal.seal_to(recovery, key.secret, WARD_KEY_PURPOSE)
    own = seal.seal_to(home.keys.agreement.public, key.secret, WARD_KEY_PURPOSE)
    return [
        g.WardKey(key.public, recovery, sealed),
        g.KeyShare(key.public, home.keys.public, own),
    ]


def _take_shares(home: Home, replica: Replica) -> None:
    kept = set(home.vault.secret_names())
    for (public, device), sealed in replica.holding.roster.shares.items():
        if device != home.keys.public or _SECRET + public.hex() in kept:
            continue
        try:
            key = AgreementKey(seal.open_sealed(home.keys.agreement, sealed, WARD_KEY_PURPOSE))
        except (AccessError, PeerError):
            continue  # sealed to a key that was; another edge will share again
        if key.public == public:
            keep_ward_key(home, key)


def _shares_due(home: Home, replica: Replica) -> list[g.Statement]:
    roster = replica.holding.roster
    edges = [
        granted
        for granted in roster.grants.values()
        if granted.role == g.EDGE
        and granted.device != home.keys.public
        and roster.revoked(granted.device) is None
    ]
    due: list[g.Statement] = []
    for statement in roster.ward_keys:
        lacking = [e for e in edges if (statement.public, e.device) not in roster.shares]
        key = ward_key(home, statement.public) if lacking else None
        if key is not None:
            for edge in lacking:
                sealed = seal.seal_to(edge.agreement, key.secret, WARD_KEY_PURPOSE)
                due.append(g.KeyShare(key.public, edge.device, sealed))
    return due


def read_scan(home: Home, replica: Replica, manifest: Manifest) -> bytes:
    """Return a scan in clear, by the key kept at its capture or by the ward's.

    Raises `WrongKeyError` where this device may not read it, and `InputError` where it has not
    come whole yet. That it was read is the caller's to write down first.
    """
    key = replica.rooms.log.note(SCAN_KEY_NOTE + manifest.id.hex())
    if key is None:
        key = _key_from_vault(home, replica, manifest)
    plain = open_scan(manifest, key, replica.rooms.chunks.get)
    if plain is None:
        raise InputError("This scan has not come whole yet. It is fetched when there is a line.")
    return plain


def _key_from_vault(home: Home, replica: Replica, manifest: Manifest) -> bytes:
    readers = {name for name, _ in manifest.keys}
    for statement in replica.holding.roster.ward_keys:
        key = ward_key(home, statement.public) if key_name(statement.public) in readers else None
        if key is not None:
            return scan_key(manifest, key)
    raise WrongKeyError(
        "This device does not hold the ward's key, so it can't open this scan. "
        "The scan is safe; open it at the ward's station."
    )
