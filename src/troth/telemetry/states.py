"""Asks every reading when somebody scrapes. Loaded with the metrics library, only where metrics are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import TrothError
from troth.kernel.scope import as_system
from troth.telemetry.labels import Labels
from troth.telemetry.readings import Reading

Family = CounterMetricFamily | GaugeMetricFamily


class States(Collector):
    """Asks every reading at each scrape. One that cannot be asked is absent, and counted."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings
        self._labels = {one.name: Labels(more=64) for one in readings}

    def describe(self) -> Iterator[Family]:
        """Names alone, so that registering asks nothing."""
        yield from (_family(one) for one in self._readings)
        yield GaugeMetricFamily("troth_scrape_failures", "Readings that could not be taken this time")

    @as_system
    def _values(self, reading: Reading) -> Mapping[str, float]:
        return reading.values()

    def collect(self) -> Iterator[Family]:
        """Every reading now."""
        failures = 0
        for one in self._readings:
            family = _family(one)
            try:
                values = self._values(one)
            except (TrothError, OSError, SQLAlchemyError):
                failures += 1
                continue
            for value, number in values.items():
                family.add_metric([self._labels[one.name].of(value)] if one.label else [], number)
            yield family
        yield GaugeMetricFamily(
            "troth_scrape_failures", "Readings that could not be taken this time", value=float(failures)
        )


def _family(reading: Reading) -> Family:
    labels = [reading.label] if reading.label else []
    if reading.name.endswith("_total"):
        return CounterMetricFamily(reading.name.removesuffix("_total"), reading.text, labels=labels)
    return GaugeMetricFamily(reading.name, reading.text, labels=labels)
