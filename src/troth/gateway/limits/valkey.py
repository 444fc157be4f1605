"""Limits in a Valkey or Redis server, which several instances share (extra `valkey`).

Each call is one Lua script, so it is atomic. Keys are keyed hashes and values are numbers: the server learns no id, no
name and no content. Without persistence a restart of that server forgets the limits; it must not evict
(`maxmemory-policy noeviction`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from troth.gateway.limits.buckets import Change, Claim, Seed, Taken, standing, wait
from troth.gateway.limits.rules import SPANS_MS, Moment, Window
from troth.kernel.errors import Invalid, Unavailable

_PREFIX = "troth:limits:"
_KEPT_MS = {Window.MONTH: 40 * 86_400_000}  # beyond the month; a bucket is kept for two of its windows
_UNKNOWN = -1
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# Levels as the adapter in memory computes them. A value is 'level' and 'at' of a hash; what runs is a sorted set of
# leases by their end. Doubles are written with 17 digits, which is all of them.
_LEVEL = """
local function current(key, mode, most, span, now, month, seed)
  if mode == 'now' then
    local at = math.max(now, tonumber(redis.call('GET', key .. ':at') or '0'))
    redis.call('ZREMRANGEBYSCORE', key, '-inf', at)
    return redis.call('ZCARD', key), at
  end
  local kept = redis.call('HMGET', key, 'level', 'at')
  if mode == 'month' then
    if not kept[1] then
      if seed < 0 then return nil end
      return seed, month
    end
    local at = tonumber(kept[2])
    if month > at then return 0, month end
    return tonumber(kept[1]), at
  end
  if not kept[1] then return 0, now end
  local at = tonumber(kept[2])
  return math.max(0, tonumber(kept[1]) - math.max(0, now - at) * most / span), math.max(at, now)
end
local function keep(key, mode, level, at, kept, lease, ends)
  if mode == 'now' then
    if lease then redis.call('ZADD', key, ends, lease) end
    redis.call('SET', key .. ':at', string.format('%.0f', at), 'PX', kept)
    redis.call('PEXPIRE', key, kept)
    return
  end
  redis.call('HSET', key, 'level', string.format('%.17g', level), 'at', string.format('%.0f', at))
  redis.call('PEXPIRE', key, kept)
end
"""
_TAKE = (
    _LEVEL
    + """
local now, month, lease, ends = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local levels, times, unknown, refused = {}, {}, {}, {}
for i, key in ipairs(KEYS) do
  local o = 4 + (i - 1) * 6
  local level, at = current(key, ARGV[o+1], tonumber(ARGV[o+2]), tonumber(ARGV[o+4]), now, month, tonumber(ARGV[o+5]))
  if level == nil then
    unknown[#unknown+1] = i - 1
  else
    levels[i], times[i] = level, at
    local amount = tonumber(ARGV[o+3])
    if amount > 0 and level + amount > tonumber(ARGV[o+2]) then
      refused[#refused+1] = string.format('%d:%.17g', i - 1, level)
    end
  end
end
if #unknown > 0 then return {'unknown', unknown} end
if #refused > 0 then return {'refused', refused} end
local told = {}
for i, key in ipairs(KEYS) do
  local o = 4 + (i - 1) * 6
  levels[i] = levels[i] + tonumber(ARGV[o+3])
  keep(key, ARGV[o+1], levels[i], times[i], ARGV[o+6], lease, ends)
  told[i] = string.format('%.17g:%.0f', levels[i], times[i])
end
return {'taken', told}
"""
)
_SETTLE = (
    _LEVEL
    + """
local now, month, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
for i, key in ipairs(KEYS) do
  local o = 3 + (i - 1) * 7
  local mode, most, span = ARGV[o+1], tonumber(ARGV[o+2]), tonumber(ARGV[o+3])
  local by, since, then_month = tonumber(ARGV[o+5]), tonumber(ARGV[o+6]), tonumber(ARGV[o+7])
  if mode == 'now' then
    redis.call('ZREM', key, lease)
  else
    local level, at = current(key, mode, most, span, now, month, 0)
    if mode ~= 'month' then
      if by < 0 then by = -math.max(0, -by - (at - since) * most / span) end
    elseif by < 0 and at ~= then_month then
      by = 0
    end
    keep(key, mode, math.max(0, level + by), at, ARGV[o+4])
  end
end
return 1
"""
)


class ValkeyBuckets:
    """Implements `buckets.Buckets` on one server.

    `url`: `valkeys://user@host:6379/0` (TLS), `valkey://` on this machine only, or `unix://` and a path; `redis` in
    place of `valkey` means the same. Raises `Unavailable` (extra-missing) without the library, `Invalid` (bad-setting).
    """

    remote = True

    def __init__(
        self, url: str, *, password: str | None = None, authority: Path | None = None, seconds: float = 1.0
    ) -> None:
        self._client = _client(url, password, authority, seconds)
        self._take = self._client.register_script(_TAKE)
        self._settle = self._client.register_script(_SETTLE)

    def take(self, claims: Sequence[Claim], moment: Moment, lease: tuple[str, int], seed: Seed) -> Taken:
        """See `Buckets.take`. A second round trip when a sum of the month begins."""
        seeds: dict[int, int] = {}
        said, what = self._asked(claims, moment, lease, seeds)
        if said == b"unknown":
            seeds = {int(place): seed(int(place)) for place in what}
            said, what = self._asked(claims, moment, lease, seeds)
        pairs = [one.decode().split(":") for one in what]
        if said == b"refused":
            return _refusal([(int(place), float(level)) for place, level in pairs], claims, moment)
        return Taken(
            tuple(
                standing(float(level), int(at), claim, moment) for (level, at), claim in zip(pairs, claims, strict=True)
            )
        )

    def settle(self, changes: Sequence[Change], moment: Moment, lease: str) -> None:
        """See `Buckets.settle`."""
        values: list[Any] = [moment.now, moment.month, lease]
        for one in changes:
            span = SPANS_MS.get(one.claim.rule.window, 0)
            kept = _kept(one.claim.rule.window, 0)
            values += [one.claim.rule.window.value, one.claim.most, span, kept, one.by, one.standing.at, one.month]
        self._run(self._settle, [_PREFIX + one.claim.bucket for one in changes], values)

    def script(self, lua: str) -> Callable[[Sequence[str], Sequence[Any]], Any]:
        """What runs another script here: on keys, with values. It raises `Unavailable` (limits-away)."""
        registered = self._client.register_script(lua)
        return lambda keys, values: self._run(registered, [_PREFIX + key for key in keys], list(values))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _asked(
        self, claims: Sequence[Claim], moment: Moment, lease: tuple[str, int], seeds: dict[int, int]
    ) -> tuple[bytes, list[Any]]:
        values: list[Any] = [moment.now, moment.month, *lease]
        for place, claim in enumerate(claims):
            window = claim.rule.window
            kept = _kept(window, lease[1] - moment.now)
            seed = seeds.get(place, _UNKNOWN)
            values += [window.value, claim.most, claim.amount, SPANS_MS.get(window, 0), seed, kept]
        said, what = self._run(self._take, [_PREFIX + claim.bucket for claim in claims], values)
        return said, what

    def _run(self, script: Any, keys: list[str], values: list[Any]) -> Any:
        from valkey.exceptions import ValkeyError  # noqa: PLC0415 - an extra

        try:
            return script(keys=keys, args=values)
        except (ValkeyError, OSError) as error:
            raise Unavailable(
                "The store of limits cannot be reached, so nothing is admitted; try again in some seconds.",
                code="limits-away",
            ) from error


def _kept(window: Window, lease_ms: int) -> int:
    """Milliseconds that a key lives on untouched."""
    if window is Window.NOW:
        return max(lease_ms, 0) + 86_400_000
    return _KEPT_MS.get(window) or 2 * SPANS_MS[window]


def _refusal(found: list[tuple[int, float]], claims: Sequence[Claim], moment: Moment) -> Taken:
    waits = [(wait(level, claims[place], moment), place) for place, level in found]
    never = [place for ms, place in waits if ms == -1]
    if never:
        return Taken((), never[0], -1)
    longest = max(ms for ms, _ in waits)
    return Taken((), next(place for ms, place in waits if ms == longest), longest)


def _client(url: str, password: str | None, authority: Path | None, seconds: float) -> Any:
    try:
        import valkey  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Unavailable(
            "Limits of several instances need the extra `valkey`: pip install 'troth[valkey]'.", code="extra-missing"
        ) from error
    parts = urlsplit(url)
    scheme, rest = parts.scheme.replace("redis", "valkey"), url.partition("://")[2]
    near = scheme == "unix" or (scheme == "valkey" and parts.hostname in _LOOPBACK)
    if scheme != "valkeys" and not near:
        raise Invalid(
            "Write limits.valkey_url as valkeys://host:port, valkey:// on this machine only, or unix:// and a path.",
            code="bad-setting",
            field="limits.valkey_url",
        )
    wishes: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds, "max_connections": 64}
    if password is not None:
        wishes["password"] = password
    if scheme == "valkeys":
        wishes |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
        wishes |= {"ssl_ca_certs": str(authority)} if authority is not None else {}
    return valkey.Valkey.from_url(f"{scheme}://{rest}", **wishes)
