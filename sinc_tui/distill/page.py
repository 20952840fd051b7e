"""The report as one HTML page that needs nothing else: tables, plots and every output to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from sinc_tui.distill import scores
from sinc_tui.distill.charts import Bar, Group, bar_chart
from sinc_tui.distill.evaluation import Evaluation, Judged
from sinc_tui.distill.report import Report, goal_text, percent, picture, shown
from sinc_tui.distill.scores import GOALS, METRICS, Metric, Value
from sinc_tui.sinc.bands import Band

_STYLE = """
body{font:15px/1.5 system-ui,-apple-system,Segoe UI,sans-serif;color:#1a1a1a;background:#fff;
max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
.wide{overflow-x:auto}.best{font-weight:700}.best::after{content:" ★";color:#777}
.note{color:#555;max-width:48rem}svg{max-width:100%;height:auto}
details{border-bottom:1px solid #ddd;padding:.4rem 0}summary{cursor:pointer}
pre{white-space:pre-wrap;background:#f5f5f5;padding:.6rem;margin:.4rem 0}
dl{display:grid;grid-template-columns:7.5rem 1fr;gap:.15rem .6rem;margin:.4rem 0}
dt{color:#555}dd{margin:0}.bad{color:#a40000}
"""


def page(report: Report) -> str:
    """The whole page."""
    sections = [
        f"<h1>Students on {len(report.examples)} prompts</h1>",
        f"<p class='note'>Prompts: {escape(report.source)}, none of them trained on. Facts, loops and "
        "the likeness to the own prompt are measured by rule; read the outputs below.</p>",
        _figure(picture(report)),
        "<h2>All figures</h2>",
        _summary_table(report),
        "<h2>Masks</h2>",
        _mask_table(report),
        "<h2>Bands</h2>",
        _figure(_lengths(report)),
        _figure(_held(report)),
        _band_table(report),
        "<h2>Kinds of prompts</h2>",
        _kind_table(report),
        "<h2>Outputs</h2>",
        *(_outputs(report, at) for at in range(len(report.examples))),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>Students: report</title><style>{_STYLE}</style></head><body>"
        f"{''.join(sections)}</body></html>\n"
    )


def _figure(svg: str) -> str:
    return f"<figure style='margin:1rem 0'>{svg}</figure>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<div class='wide'><table><tr>{top}</tr>{body}</table></div>"


def _cell(text: str, *, best: bool = False) -> str:
    return f"<td class='best'>{escape(text)}</td>" if best else f"<td>{escape(text)}</td>"


def _summary_table(report: Report) -> str:
    names = [evaluation.name for evaluation in report.evaluations]
    rows = []
    for metric in METRICS:
        values = [metric.measure(evaluation.rows) for evaluation in report.evaluations]
        best = _best(metric, values)
        goals = [goal_text(metric, tier) for tier in GOALS]
        cells = [_cell(shown(metric, value), best=value == best) for value in values]
        rows.append([_cell(metric.title), *cells, *(_cell(goal) for goal in goals)])
    return _table(["", *names, *(f"goal: {tier}" for tier in GOALS)], rows)


def _best(metric: Metric, values: Sequence[Value]) -> float | str:
    """The best of several figures; something that equals none of them where there is no best."""
    known = [value for value in values if value is not None]
    if metric.better == "none" or len(known) < 2 or len(set(known)) == 1:
        return "none"
    return max(known) if metric.better == "more" else min(known)


def _mask_table(report: Report) -> str:
    used = {evaluation.name: scores.masks(evaluation.rows) for evaluation in report.evaluations}
    names = sorted({mask for masks in used.values() for mask in masks})
    if not names:
        return "<p class='note'>No student here was decoded under masks.</p>"
    rows = []
    for mask in names:
        cells = [_mask_cell(used[evaluation.name].get(mask)) for evaluation in report.evaluations]
        rows.append([_cell(mask), *cells])
    note = "<p class='note'>Share of the documents in which a mask stepped in, and how often a document.</p>"
    return note + _table(["", *(evaluation.name for evaluation in report.evaluations)], rows)


def _mask_cell(use: dict[str, float] | None) -> str:
    return _cell("–" if use is None else f"{percent(use['documents'])}, {use['uses']:.1f}×")


def _per_band(report: Report, title: str, bar: Callable[[dict[str, Value]], Bar]) -> str:
    bands = [scores.by_band(evaluation.rows) for evaluation in report.evaluations]
    groups = [Group(band.value, [bar(own[band.value]) for own in bands]) for band in Band]
    return bar_chart(title, [evaluation.name for evaluation in report.evaluations], groups)


def _lengths(report: Report) -> str:
    """Median length of each band, the line from the 5th to the 95th percentile."""
    tops = [
        figures["length_p95"] or 0.0
        for evaluation in report.evaluations
        for figures in scores.by_band(evaluation.rows).values()
    ]
    scale = max(tops, default=0.0) or 1.0

    def bar(figures: dict[str, Value]) -> Bar:
        low, median, high = (figures[f"length_{key}"] or 0.0 for key in ("p5", "median", "p95"))
        return Bar(median / scale, f"{median:.0f}", (low / scale, high / scale))

    return _per_band(report, "Characters of each band: median, and 5th to 95th percentile", bar)


def _held(report: Report) -> str:
    def bar(figures: dict[str, Value]) -> Bar:
        held = figures["facts_held"]
        return Bar(held, "no facts" if held is None else percent(held))

    return _per_band(report, "Share of the prompt's facts that a band holds", bar)


def _band_table(report: Report) -> str:
    keys = ("loops", "repeats", "empty", "duplicates")
    rows = []
    for evaluation in report.evaluations:
        for band, figures in scores.by_band(evaluation.rows).items():
            shares = [_cell("–" if (v := figures[key]) is None else percent(v)) for key in keys]
            rows.append([_cell(f"{evaluation.name}: {band}"), *shares])
    return _table(["", "loops", "repeats another", "empty talk", "as for another prompt"], rows)


def _kind_table(report: Report) -> str:
    kinds = [scores.by_kind(evaluation.rows) for evaluation in report.evaluations]
    chosen = [metric for metric in METRICS if metric.key in scores.KIND_METRICS]
    head = ["", "prompts"]
    head += [f"{e.name}: {metric.title}" for e in report.evaluations for metric in chosen]
    rows = []
    for kind in kinds[0] if kinds else ():
        cells = [_cell(shown(metric, own[kind][metric.key])) for own in kinds for metric in chosen]
        rows.append([_cell(kind), _cell(f"{kinds[0][kind]['documents']:.0f}"), *cells])
    return _table(head, rows)


def _outputs(report: Report, at: int) -> str:
    example = report.examples[at]
    first_line = (example.prompt.strip().splitlines() or ["(empty)"])[0]
    answers = "".join(_output(evaluation, evaluation.rows[at]) for evaluation in report.evaluations)
    return (
        f"<details><summary>{escape(example.id)} · {escape(example.kind)} · {escape(first_line[:90])}"
        f"</summary><pre>{escape(example.prompt)}</pre>{answers}</details>"
    )


def _output(evaluation: Evaluation, row: Judged) -> str:
    bands = "".join(
        f"<dt>{band.value}</dt><dd>{escape(row.made.texts.get(band, ''))}</dd>" for band in Band
    )
    findings = "; ".join(_findings(row)) or "nothing found"
    return (
        f"<h3>{escape(evaluation.name)} · {escape(row.grounding.badge)}</h3>"
        f"<p class='{'bad' if _findings(row) else 'note'}'>{escape(findings)}</p><dl>{bands}</dl>"
    )


def _findings(row: Judged) -> list[str]:
    """Everything that is wrong with an output, in words."""
    found = list(row.reasons)
    if row.made.valid_unmasked is False:
        found.append("not valid without masks")
    if row.grounding.lost:
        found.append("lost: " + ", ".join(fact.text for fact in row.grounding.lost))
    found += [f"{i.band.value} invents {i.fact.text}" for i in row.grounding.invented]
    if row.foreign.foreign:
        found.append("foreign numbers in DATA: " + ", ".join(row.foreign.foreign))
    found += [f"{band.value} loops: {loop}" for band, loop in row.faults.loops.items()]
    found += [f"{one.value} repeats {other.value}" for one, other in row.faults.repeats]
    found += [f"{band.value} says nothing: {talk}" for band, talk in row.faults.empty.items()]
    if row.closest is False:
        found.append("closer to another prompt")
    return found + [
        f"{band.value} as for another prompt" for band in Band if band in row.duplicates
    ]
