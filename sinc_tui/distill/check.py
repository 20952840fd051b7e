"""Whether examples are fit to train on: every rule of the format, facts, texts, and their spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from sinc_tui.distill.dataset import Example, is_dev, split
from sinc_tui.distill.metrics import faults, foreign_numbers
from sinc_tui.distill.similarity import TfIdf, near_duplicates
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.grounding import ground, numbers
from sinc_tui.sinc.invariants import Status, check

_NEAR_DEV = 0.5
"""TF-IDF cosine from which a training prompt tells a student much of a dev prompt: the same matter in
nearly the same words."""
_SHOWN_KINDS = 40

Problem = str
"""What is wrong with an example, in words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that examples keep.

    Attributes:
        hard: an example that breaks it must not be trained on; else it is only counted.
        problems: what an example does against it; nothing when it keeps it.
    """

    title: str
    hard: bool
    problems: Callable[[Example], list[Problem]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule and the examples that break it, each with what is wrong."""

    title: str
    hard: bool
    broken: list[tuple[str, Problem]]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything that was found in a set of examples."""

    examples: Sequence[Example]
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        """Whether no hard rule is broken."""
        return not any(finding.broken for finding in self.findings if finding.hard)


def broken_rules(example: Example) -> list[Problem]:
    """Every hard rule that one example breaks, in words: what a teacher is told to mend."""
    return [problem for rule in RULES if rule.hard for problem in rule.problems(example)]


def check_examples(examples: Sequence[Example]) -> CheckReport:
    """Check examples one by one, for duplicates among them, and the dev set for leaks."""
    findings = [
        Finding(rule.title, rule.hard, [(e.id, p) for e in examples for p in rule.problems(e)])
        for rule in RULES
    ]
    findings.append(Finding("ids are unique", True, _repeated((e.id, e.id) for e in examples)))
    prompts = ((e.id, e.prompt.lower()) for e in examples)
    findings.append(Finding("prompts are unique", True, _repeated(prompts)))
    findings += [_near_duplicates(examples, band) for band in (Band.CONSTRAINTS, Band.CONTEXT)]
    findings.append(
        Finding("no training prompt is close to a dev prompt", False, _near_dev(examples))
    )
    return CheckReport(examples, findings)


def kinds(examples: Iterable[Example]) -> list[tuple[str, int]]:
    """How many examples each kind has, the commonest first."""
    return sorted(Counter(e.kind for e in examples).items(), key=lambda item: (-item[1], item[0]))


def lengths(examples: Sequence[Example]) -> list[tuple[str, list[int]]]:
    """Characters of the prompt and of each band: shortest, quartiles, 95th percentile, longest."""
    texts = [("prompt", [e.prompt for e in examples])]
    texts += [(band.value, [e.bands[band] for e in examples]) for band in Band]
    return [(name, _spread([len(text) for text in column])) for name, column in texts]


def openings(examples: Iterable[Example], band: Band, words: int = 3) -> list[tuple[str, int]]:
    """The commonest first words of a band: a student copies a teacher's habits."""
    return Counter(" ".join(e.bands[band].split()[:words]) for e in examples).most_common(5)


def report_text(report: CheckReport) -> str:
    """The whole report as tables of text."""
    from sinc_tui.distill.report import aligned

    examples = report.examples
    dev = sum(is_dev(example.prompt) for example in examples)
    rules = [["rule", "broken by", "for example"]]
    rules += [_rule_row(finding) for finding in report.findings]
    spread = [["characters", "least", "25%", "50%", "75%", "95%", "most"]]
    spread += [[name, *map(str, values)] for name, values in lengths(examples)]
    openers = [[f"{band.value} opens with", "examples"] for band in (Band.PERSONA,)]
    openers += [[words, str(count)] for words, count in openings(examples, Band.PERSONA)]
    return "\n\n".join(
        [
            f"{len(examples)} examples, {dev} of them for the dev set",
            aligned(rules, right=()),
            aligned(spread),
            aligned(openers),
            _kinds_table(kinds(examples)),
        ]
    )


def _kinds_table(counts: Sequence[tuple[str, int]], columns: int = 4) -> str:
    """The commonest kinds, read column by column."""
    from sinc_tui.distill.report import aligned

    shown = counts[: _SHOWN_KINDS - _SHOWN_KINDS % columns]
    height = -(-len(shown) // columns)
    cells = [[kind, str(count)] for kind, count in shown]
    cells += [["", ""]] * (height * columns - len(cells))
    rows = [
        [text for column in range(columns) for text in cells[at + height * column]]
        for at in range(height)
    ]
    rest = len(counts) - len(shown)
    head = f"{len(counts)} kinds" + (f", the commonest {len(shown)} of them" if rest else "")
    return f"{head}\n{aligned(rows, right=range(1, 2 * columns, 2))}" if rows else head


def _rule_row(finding: Finding) -> list[str]:
    title = finding.title if finding.hard else f"{finding.title} (counted only)"
    shown = "; ".join(f"{where}: {problem}" for where, problem in finding.broken[:2])
    count = len({where for where, _ in finding.broken})
    return [title, str(count) if count else "none", shown[:110]]


def _invariants(example: Example) -> list[Problem]:
    verdicts = check(Draft.finished(example.bands))
    return [verdict.reason for verdict in verdicts if verdict.status is not Status.PASS]


def _tidy(example: Example) -> list[Problem]:
    found = []
    for band, text in example.bands.items():
        if text != text.strip():
            found.append(f"{band.value} has blanks at its ends.")
        if len(text.splitlines()) > 1:
            found.append(f"{band.value} has a line break.")
    return found


def _end_mark(example: Example) -> list[Problem]:
    ended = (
        example.bands[Band.TASK].rstrip("\"'”’»)").endswith((".", "!", "?", "。", "！", "？", "।"))
    )
    return [] if ended else ["TASK does not end in a period."]


def _numbers_kept(example: Example) -> list[Problem]:
    """Runs of two digits or more; a single digit may be a list's mark."""
    held = set(numbers(" ".join(example.bands.values())))
    given = (run for run in dict.fromkeys(numbers(example.prompt)) if len(run) > 1)
    return [f"The number {run} of the prompt is in no band." for run in given if run not in held]


def _no_foreign_numbers(example: Example) -> list[Problem]:
    foreign = foreign_numbers(example.prompt, example.bands[Band.DATA]).foreign
    return [f"DATA holds the number {run}, which the prompt lacks." for run in foreign]


def _facts_kept(example: Example) -> list[Problem]:
    return [f"lost: {fact.text}" for fact in ground(example.prompt, example.bands).lost]


def _nothing_invented(example: Example) -> list[Problem]:
    invented = ground(example.prompt, example.bands).invented
    return [f"{i.band.value} invents {i.fact.text}" for i in invented]


def _sound(example: Example) -> list[Problem]:
    found = faults(example.prompt, example.bands)
    loops = [f"{band.value} repeats {loop}." for band, loop in found.loops.items()]
    repeats = [f"{one.value} and {other.value} say the same." for one, other in found.repeats]
    empty = [f"{band.value} holds the filler '{talk}'." for band, talk in found.empty.items()]
    return loops + repeats + empty


RULES = (
    Rule("keeps the invariants", True, _invariants),
    Rule("no line breaks, no outer blanks", True, _tidy),
    Rule("TASK ends in an end mark", True, _end_mark),
    Rule("every number of the prompt is in some band", True, _numbers_kept),
    Rule("no foreign number in DATA", True, _no_foreign_numbers),
    Rule("no loop, no repeated band, no filler", True, _sound),
    Rule("every fact of the prompt is in some band", False, _facts_kept),
    Rule("nothing invented", False, _nothing_invented),
)
"""What every example is checked for by itself."""


def _repeated(keys: Iterable[tuple[str, str]]) -> list[tuple[str, Problem]]:
    first: dict[str, str] = {}
    found = []
    for where, key in keys:
        if key in first:
            found.append((where, f"as in {first[key]}"))
        first.setdefault(key, where)
    return found


def _near_duplicates(examples: Sequence[Example], band: Band) -> Finding:
    flags = near_duplicates([example.bands[band] for example in examples])
    doubled = [
        (e.id, "as in another example") for e, same in zip(examples, flags, strict=True) if same
    ]
    return Finding(f"{band.value} differs from example to example", False, doubled)


def _near_dev(examples: Sequence[Example]) -> list[tuple[str, Problem]]:
    """Training examples whose prompts are close to one of the dev set, the closest first."""
    train, dev = split(examples)
    if not dev:
        return []
    index = TfIdf([e.prompt for e in dev], [e.prompt for e in train])
    found = []
    for example in train:
        scores = index.similarities(example.prompt)
        nearest = int(scores.argmax())
        if scores[nearest] >= _NEAR_DEV:
            found.append((scores[nearest], example.id, f"close to {dev[nearest].id}"))
    return [(where, problem) for _, where, problem in sorted(found, reverse=True)]


def _spread(values: Sequence[int]) -> list[int]:
    if len(values) < 2:
        return [*values] * 6 if values else [0] * 6
    cuts = quantiles(values, n=20, method="inclusive")
    return [min(values), *(round(cuts[at]) for at in (4, 9, 14, 18)), max(values)]
