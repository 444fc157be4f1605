"""What the settings ask for: nothing by default, then metrics, traces, or both behind one `Watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth import __version__
from troth.kernel.journal import Journal
from troth.kernel.watch import UNWATCHED, Kind, Span, Watch
from troth.settings.sections import Telemetry

if TYPE_CHECKING:
    from troth.telemetry.listener import Answer, Listener
    from troth.telemetry.metrics import Meter
    from troth.telemetry.readings import Reading
    from troth.telemetry.tracing import Tracer


@dataclass(slots=True)
class Instruments:
    """The instruments of one process. Libraries are loaded only for what is asked for."""

    wish: Telemetry
    watch: Watch = UNWATCHED
    meter: Meter | None = None
    tracer: Tracer | None = None
    listener: Listener | None = None

    def know(self, *, routes: Iterable[str], operations: Iterable[str]) -> None:
        """The names that labels may have."""
        if self.meter is not None:
            self.meter.know(routes=routes, operations=operations)

    def start(self, readings: Sequence[Reading], ready: Callable[[], tuple[dict[str, bool], bool]]) -> None:
        """Open the listener, when one is asked for. Raises `Unavailable` when its port is taken."""
        if self.meter is None or self.wish.metrics_port is None or self.listener is not None:
            return
        from prometheus_client import generate_latest  # noqa: PLC0415 - loaded with the meter

        from troth.telemetry.listener import Listener, as_json  # noqa: PLC0415
        from troth.telemetry.states import States  # noqa: PLC0415

        registry = self.meter.registry
        registry.register(States(readings))

        def metrics() -> Answer:
            return 200, "text/plain; version=0.0.4; charset=utf-8", generate_latest(registry)

        def readiness() -> Answer:
            parts, all_ready = ready()
            return as_json(parts, ready=all_ready)

        answers = {"/metrics": metrics, "/readyz": readiness, "/livez": lambda: as_json({"live": True}, ready=True)}
        host, port = self.wish.metrics_host, self.wish.metrics_port
        self.listener = Listener(host, port, answers, beyond_loopback=self.wish.metrics_beyond_loopback)
        self.listener.start()

    def stop(self) -> None:
        """Close the listener and send the last traces."""
        if self.listener is not None:
            self.listener.stop()
            self.listener = None
        if self.tracer is not None:
            self.tracer.stop()


def new_meter() -> Meter:
    """A meter of its own; loads the metrics library."""
    from troth.telemetry.metrics import Meter  # noqa: PLC0415 - a third of a tenth of a second

    return Meter()


def instruments_of(wish: Telemetry, journal: Journal) -> Instruments:
    """The instruments for these settings. Raises `Invalid` and `Unavailable` (`extra-missing`)."""
    made = Instruments(wish)
    watches: list[Watch] = []
    if wish.metrics_port is not None:
        from troth.telemetry.listener import require_loopback  # noqa: PLC0415 - with the meter

        require_loopback(wish.metrics_host, beyond_loopback=wish.metrics_beyond_loopback)
        made.meter = new_meter()
        watches.append(made.meter)
    if wish.traces_endpoint:
        from troth.telemetry.tracing import Tracer, collector  # noqa: PLC0415 - the extra `traces`

        made.tracer = Tracer(collector(wish.traces_endpoint), wish.traces_share, __version__)
        journal.trace = made.tracer.current
        watches.append(made.tracer)
    if watches:
        made.watch = watches[0] if len(watches) == 1 else Both(watches)
    return made


class Both:
    """Hands everything to several watches."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches

    def begin(self, kind: Kind, name: str) -> Span:
        return _Pair([one.begin(kind, name) for one in self._watches])


class _Pair:
    __slots__ = ("_spans",)

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans

    def add(self, name: str, amount: int) -> None:
        for one in self._spans:
            one.add(name, amount)

    def active(self) -> AbstractContextManager[object]:
        return self._all_active()

    @contextmanager
    def _all_active(self) -> Iterator[None]:
        with ExitStack() as stack:
            for one in self._spans:
                stack.enter_context(one.active())
            yield

    def trace(self) -> str | None:
        return next((found for one in self._spans if (found := one.trace())), None)

    def end(self, outcome: str, name: str | None = None) -> None:
        for one in self._spans:
            one.end(outcome, name)
