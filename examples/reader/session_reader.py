#!/usr/bin/python3
"""Reads a session that session.so keeps in Redis or Valkey, and never writes.

As a program it takes the cookie's value on standard input and prints the session as JSON:

    $ session_reader.py --redis redis://127.0.0.1:6379 --secrets-file secrets < cookie
    {"attributes": {"user_id": "anna"}, "created_at": 1790000000000, ...}

It ends with 0 when there is a session, with 1 when there is none, and with 2 when nobody can say, because Redis does not
answer or a row does not open. Treat 2 as an outage and never as a visitor without a session.

docs/record-format.md explains every line of this. Needs Python 3.9 and, where there are secrets, the package
`cryptography` (Debian: python3-cryptography).
"""

import argparse
import base64
import hashlib
import hmac
import json
import socket
import struct
import sys
import time
import urllib.parse
from dataclasses import asdict, dataclass
from typing import Optional


class Unreadable(Exception):
    """There is a row, and it is not what this format says, or not sealed by a secret in the list."""


@dataclass(frozen=True)
class Session:
    """What is remembered about a visitor. Times are milliseconds since 1970."""

    attributes: dict
    created_at: int
    renewed_at: int
    seen_at: int
    expires_at: int
    family: str


@dataclass(frozen=True)
class Limits:
    """The clocks that are not in the row but in the gateway's configuration, in milliseconds; 0 for none."""

    expiration: int = 0
    inactivity: int = 0
    remember_me: int = 0


# === Names and seals ===


class Secret:
    """The keys behind one secret, or behind none: then names are plain hashes, and rows are not sealed."""

    def __init__(self, secret: Optional[bytes]):
        self.is_plain = secret is None
        if secret is not None:
            root = _hmac(b"session.so secret 1", secret)
            # HKDF-Expand (RFC 5869) of at most one block.
            self.mark = _hmac(root, b"mark\x01")[:4]
            self._names = _hmac(root, b"names\x01")
            self._rows = _hmac(root, b"rows\x01")

    def name(self, session_id: bytes) -> bytes:
        """The name of the row of an id: 32 bytes."""
        label = b"session.so row key 1"
        if self.is_plain:
            return hashlib.sha256(label + session_id).digest()
        return _hmac(self._names, label + session_id)

    def open(self, name: bytes, seed: bytes, version: int, payload: bytes) -> bytes:
        """What a row says. Its seed is the id of the session; the row of a roster has its own name for one."""
        if self.is_plain:
            return payload
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        label = b"session.so sealed row 1"
        if payload[:1] != b"S" or payload[1:5] != self.mark:
            raise Unreadable("not sealed by the secret that names it")
        bound_to = label + name + struct.pack(">Q", version)
        key = _hmac(self._rows, label + seed)
        try:
            return AESGCM(key).decrypt(payload[5:17], payload[17:], bound_to)
        except InvalidTag:
            raise Unreadable("the seal is broken, or was made for something else") from None


def successor(session_id: bytes, nonce: bytes) -> bytes:
    """The id that a rotation made of this one."""
    return _hmac(session_id, b"session.so successor 1" + nonce)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


# === Rows ===


@dataclass(frozen=True)
class Row:
    """What a row means: live, rotating ("P"), rotated ("A"), revoked ("X") or a roster."""

    tag: str
    nonce: bytes = b""
    session: Optional[Session] = None
    roster: Optional[bytes] = None
    families: frozenset = frozenset()


class Bytes:
    """Takes fields off the front."""

    def __init__(self, rest: bytes):
        self.rest = rest

    def take(self, count: int) -> bytes:
        if len(self.rest) < count:
            raise Unreadable("the end comes too early")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(8), "big")


def decode(state: bytes) -> Row:
    """Takes a state apart. What this does not know is refused: guessing would let strangers in."""
    fields = Bytes(state)
    if fields.take(1) != b"\x01":
        raise Unreadable("another format, perhaps of a newer gateway")
    tag = fields.take(1).decode("latin-1")
    if tag == "L":
        return _record(tag, b"", fields)
    if tag == "P":
        return _record(tag, fields.take(32), fields)
    if tag == "A":
        row = Row(tag, nonce=fields.take(32))
        fields.number()  # The end of the grace: what happens later is the gateway's to judge.
    elif tag == "X":
        row = Row(tag)
    elif tag == "R":
        entries = [fields.take(32) for _ in range(fields.number())]
        row = Row(tag, families=frozenset(entry[:8].hex() for entry in entries))
    elif tag == "D":
        row = Row(tag, families=frozenset(_with_device(fields) for _ in range(fields.number())))
    else:
        raise Unreadable("an unknown tag")
    if fields.rest:
        raise Unreadable("bytes after the end")
    return row


def _with_device(fields: Bytes) -> str:
    family = fields.take(32)[:8].hex()
    for _text in ("address", "name"):
        fields.take(fields.take(1)[0])
    return family


def _record(tag: str, nonce: bytes, fields: Bytes) -> Row:
    created_at, renewed_at, seen_at, expires_at, _own_life = (fields.number() for _ in range(5))
    family = fields.take(8).hex()
    membership = fields.take(1)
    if membership not in (b"\x00", b"\x01"):
        raise Unreadable("neither with a roster nor without")
    roster = fields.take(32) if membership == b"\x01" else None
    try:
        attributes = json.loads(fields.rest)
    except ValueError:
        raise Unreadable("attributes that are no JSON") from None
    if not isinstance(attributes, dict):
        raise Unreadable("attributes that are no JSON object")
    session = Session(attributes, created_at, renewed_at, seen_at, expires_at, family)
    return Row(tag, nonce, session, roster)


def is_over(session: Session, limits: Limits, now: int) -> bool:
    """Whether one of the clocks has run out. A clock that is behind takes nothing back."""
    ends = [session.expires_at]
    is_remembered = limits.remember_me and session.attributes.get("remember_me") is True
    if limits.expiration:
        longest = limits.remember_me if is_remembered else limits.expiration
        ends.append(session.created_at + longest)
    if limits.inactivity and not is_remembered:
        ends.append(session.seen_at + limits.inactivity)
    return min(ends) <= max(now, session.seen_at)


# === The way to a session ===


class Reader:
    """Finds sessions. `rows` is anything that gives the value of a key, or None: `redis.Redis.get` of redis-py will do."""

    def __init__(self, rows, secrets=(), prefix="session:", limits=Limits()):
        self._rows = rows
        self._secrets = [Secret(secret) for secret in secrets] or [Secret(None)]
        self._prefix = prefix
        self._limits = limits

    def session(self, cookie: str) -> Optional[Session]:
        """The session of a cookie's value; None if there is none, or it is over."""
        session_id = _parse(cookie)
        if session_id is None:
            return None
        for secret in self._secrets:
            row = self._session_row(secret, session_id)
            if row is not None:
                return self._follow(secret, session_id, row)
        return None

    def _follow(self, secret: Secret, session_id: bytes, row: Row) -> Optional[Session]:
        for _ in range(16):  # Far more renewals than happen in one grace.
            if row.tag == "L":
                return self._alive(secret, row)
            if row.tag not in "PA":
                return None
            session_id = successor(session_id, row.nonce)
            naming = self._naming(secret, row.nonce)
            if naming is None:
                return None
            following = self._session_row(naming, session_id)
            if following is None:
                # A rotation that has only begun has the session with it; one that is over has not.
                return self._alive(secret, row) if row.tag == "P" else None
            secret, row = naming, following
        return None

    def _alive(self, secret: Secret, row: Row) -> Optional[Session]:
        if is_over(row.session, self._limits, time.time_ns() // 1_000_000):
            return None
        if row.roster is not None:
            roster = self._row(secret, row.roster, row.roster)
            if roster is None or row.session.family not in roster.families:
                return None
        return row.session

    def _naming(self, secret: Secret, nonce: bytes) -> Optional[Secret]:
        """The secret that names the row of the successor: where there are secrets, the nonce begins with its mark."""
        if secret.is_plain:
            return secret
        return next((known for known in self._secrets if known.mark == nonce[:4]), None)

    def _session_row(self, secret: Secret, session_id: bytes) -> Optional[Row]:
        return self._row(secret, secret.name(session_id), session_id)

    def _row(self, secret: Secret, name: bytes, seed: bytes) -> Optional[Row]:
        key = self._prefix + base64.urlsafe_b64encode(name).rstrip(b"=").decode()
        value = self._rows(key)
        if value is None:
            return None
        if len(value) < 9 or value[:1] != b"R":
            raise Unreadable("a value that is no row")
        version = int.from_bytes(value[1:9], "big")
        return decode(secret.open(name, seed, version, value[9:]))


def _parse(cookie: str) -> Optional[bytes]:
    """The 32 bytes of an id, whose one spelling has 43 characters of base64url."""
    try:
        session_id = base64.urlsafe_b64decode(cookie + "=")
    except ValueError:
        return None
    canonical = base64.urlsafe_b64encode(session_id).rstrip(b"=").decode()
    return session_id if len(session_id) == 32 and canonical == cookie else None


# === As a program ===


class Redis:
    """As much of a client as reading takes; use a real one in a service."""

    def __init__(self, url: str, timeout: float = 5.0):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            self._socket.connect(parts.path)
        else:
            address = (parts.hostname or "127.0.0.1", parts.port or 6379)
            self._socket = socket.create_connection(address, timeout)
        self._answers = self._socket.makefile("rb")
        if parts.password:
            user = urllib.parse.unquote(parts.username or "default")
            self._ask("AUTH", user, urllib.parse.unquote(parts.password))
        database = parts.path.strip("/") if parts.scheme != "unix" else ""
        if database:
            self._ask("SELECT", database)

    def get(self, key: str) -> Optional[bytes]:
        return self._ask("GET", key)

    def _ask(self, *words: str) -> Optional[bytes]:
        encoded = [word.encode() for word in words]
        pieces = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self._socket.sendall(b"*%d\r\n%s" % (len(pieces), b"".join(pieces)))
        line = self._answers.readline()
        if line[:1] == b"+":
            return line[1:-2]
        if line[:1] != b"$":
            raise OSError(f"Redis answers {line[1:].split(b' ')[0].decode() or 'nothing'}")
        length = int(line[1:])
        return None if length < 0 else self._answers.read(length + 2)[:-2]


def main() -> int:
    options = argparse.ArgumentParser(description="Prints the session of the cookie on standard input.")
    options.add_argument("--redis", default="redis://127.0.0.1:6379", help="redis://[user:password@]host:port[/db] or unix:///path")
    options.add_argument("--prefix", default="session:", help="as in storages.yaml")
    options.add_argument("--secrets-file", help="one secret in each line, newest first: secretsFile of the middleware")
    for clock in ("expiration", "inactivity", "remember-me"):
        options.add_argument(f"--{clock}", type=float, default=0, metavar="SECONDS", help="as in the middleware")
    given = options.parse_args()
    secrets = []
    if given.secrets_file:
        with open(given.secrets_file, "rb") as file:
            secrets = file.read().splitlines()
    limits = Limits(*(int(seconds * 1000) for seconds in (given.expiration, given.inactivity, given.remember_me)))
    try:
        reader = Reader(Redis(given.redis).get, secrets, given.prefix, limits)
        session = reader.session(sys.stdin.read().strip())
    except (OSError, Unreadable) as error:
        print(f"cannot say: {error}", file=sys.stderr)
        return 2
    if session is None:
        print("no session", file=sys.stderr)
        return 1
    print(json.dumps(asdict(session)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
