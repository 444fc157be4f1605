"""What a process remembers of opened pages and unit keys: bounded, and dropped as a whole when it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Name, Value]):
    """Least recently used goes first. A value read before a `clear` never enters after it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._values: OrderedDict[Name, Value] = OrderedDict()
        self._stamp = 0

    @property
    def stamp(self) -> int:
        """Take it before reading what will be put; it changes with every `clear`."""
        return self._stamp

    def get(self, name: Name) -> Value | None:
        """The value, or None."""
        with self._lock:
            value = self._values.get(name)
            if value is not None:
                self._values.move_to_end(name)
            return value

    def put(self, name: Name, value: Value, stamp: int) -> None:
        """Remember, unless the cache was cleared since `stamp` was taken."""
        with self._lock:
            if stamp != self._stamp:
                return
            self._values[name] = value
            self._values.move_to_end(name)
            if len(self._values) > self._limit:
                self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._stamp += 1
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
