"""The report on a training set, from the manifest's predicate: counts and digests, never values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "td,th{border-bottom:1px solid #8884;padding:.3rem .5rem;text-align:left}"
    "td:last-child{text-align:right;font-variant-numeric:tabular-nums}code{word-break:break-all}"
)


def summary(predicate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts of a set, in the order a reader wants them."""
    rows, canaries, source = predicate["rows"], predicate["canaries"], predicate["provenance"]
    return [
        ("Data set", predicate["dataset"]),
        ("Source", source["source"]),
        ("Licence", source["licence"]),
        ("Rows read", f"{rows['in']:,}"),
        ("Rows kept", f"{rows['kept']:,}"),
        ("Rows left out for lack of consent", f"{rows['left_out']:,}"),
        ("Consent", predicate["consent"]["basis"]),
        ("Policy", f"{predicate['policy']['name']} {predicate['policy']['version']}"),
        ("Values taken out", f"{sum(predicate['counts'].values()):,}"),
        ("Canaries planted / left", f"{canaries['planted']} / {canaries['left']}"),
        ("Leak, by canaries", _in_words(canaries, canaries["planted"], "values as they were planted")),
        ("Leak, by a labelled sample", _by_sample(predicate.get("sample"))),
        ("Root digest", predicate["root"]),
    ]


def _in_words(bound: Mapping[str, Any], tried: int, what: str) -> str:
    """The bound as a sentence that a reader without statistics can repeat."""
    sure = f"{100 * bound['confidence']:g} % confidence"
    most = math.ceil(10_000 * bound["leak_upper"]) / 100
    return f"at most {most:.2f} % of {what} are left, with {sure} ({bound['left']} of {tried:,} were)"


def _by_sample(sample: Mapping[str, Any] | None) -> str:
    if sample is None:
        return "no sample was given: how much of what people really wrote is left was not measured"
    labels = sample.get("labels")  # a manifest of before does not say
    what = f"personal values marked {', '.join(labels)}" if labels else "personal values"
    return (
        f"{_in_words(sample, sample['values'], what)}, by this sample of {sample['documents']:,} documents, which are "
        "taken as drawn at random from the set; other labels were not measured"
    )


def as_text(predicate: Mapping[str, Any]) -> str:
    """For a terminal."""
    width = max(len(name) for name, _ in summary(predicate))
    lines = [f"{name:<{width}}  {value}" for name, value in summary(predicate)]
    counts = [f"  {kind:<20}{count:>10,}" for kind, count in _by_count(predicate)]
    return "\n".join([*lines, "", "Taken out, by kind:", *counts]) + "\n"


def as_html(predicate: Mapping[str, Any]) -> str:
    """One page without scripts and without anything fetched from elsewhere."""
    facts = "".join(
        f"<tr><th>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>" for name, value in summary(predicate)
    )
    counts = "".join(f"<tr><td>{escape(kind)}</td><td>{count:,}</td></tr>" for kind, count in _by_count(predicate))
    decisions = "".join(
        f"<tr><td>{escape(category)}</td><td>{escape(decision)}</td></tr>"
        for category, decision in {**predicate["policy"]["decisions"], **predicate["policy"].get("kinds", {})}.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Redaction report</title><style>{_STYLE}</style><h1>Redaction report</h1><table>{facts}</table>"
        f"<h2>Taken out, by kind</h2><table>{counts}</table>"
        f"<h2>Decision on each category</h2><table>{decisions}</table></html>\n"
    )


def _by_count(predicate: Mapping[str, Any]) -> list[tuple[str, int]]:
    return sorted(predicate["counts"].items(), key=lambda item: (-item[1], item[0]))
