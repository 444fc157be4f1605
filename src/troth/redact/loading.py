"""A detector that is loaded beside the rest of a start: who needs it waits for it, and without it nothing is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from troth.kernel.errors import TrothError, Unavailable
from troth.redact import tiers
from troth.redact.detect import Detector, Span, detect_each

_PATIENCE = 60.0  # seconds that a text waits for its detector


class Loading:
    """The detector of a tier, as a `Detector`. Every use waits until it is there, and raises what stood in its way."""

    def __init__(self, tier: str, load: Callable[[str], Detector] = tiers.detector) -> None:
        self.tier = tier
        self._load = load
        self._lock = Lock()
        self._future: Future[Detector] | None = None

    def begin(self) -> None:
        """Begin to load on a thread of its own; once is enough."""
        with self._lock:
            if self._future is None:
                thread = ThreadPoolExecutor(1, "detector")
                self._future = thread.submit(self._load, self.tier)
                thread.shutdown(wait=False)

    @property
    def missing(self) -> bool:
        """Whether it was asked for and is not there: still on its way, or in vain."""
        future = self._future
        return future is not None and not (future.done() and future.exception() is None)

    def require(self) -> Detector:
        """The detector. Raises Unavailable: `extra-missing`, `model-weights`, `detector-down`."""
        self.begin()
        assert self._future is not None
        try:
            fault = self._future.exception(_PATIENCE)
        except TimeoutError as late:
            fault = late
        if isinstance(fault, TrothError):
            raise fault
        if fault is not None:
            raise Unavailable("The detector of personal data cannot be loaded; look at the server's journal.",
                              code="detector-down") from fault  # fmt: skip
        return self._future.result()

    @property
    def version(self) -> str:
        """As `Detector`. Raises as `require`."""
        return self.require().version

    def detect(self, text: str) -> list[Span]:
        """As `Detector`. Raises as `require`."""
        return self.require().detect(text)

    def detect_many(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """As `Many`. Raises as `require`."""
        return detect_each(self.require(), texts)
