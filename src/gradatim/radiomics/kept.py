"""Results that several readers share, each made once."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """Results by key; the first who asks makes one, whoever asks meanwhile waits for it.

    Example:
        >>> kept = Kept()
        >>> kept.get("size", lambda: 3), kept.get("size", lambda: 4)
        (3, 3)
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._making: dict[Hashable, Lock] = {}
        self._made: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result kept under ``key``, made by ``make`` if there is none yet; nothing is kept if that raises.

        Args:
            key: what the result is of.
            make: makes it; may ask for other keys, not for its own.
        """
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            if key not in self._made:
                self._made[key] = make()
            result: T = self._made[key]
        return result

    def clear(self) -> None:
        """Keep nothing any more; call it when nobody asks."""
        with self._lock:
            self._made.clear()
            self._making.clear()
