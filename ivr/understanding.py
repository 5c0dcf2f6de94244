"""What a text means: an intent, and the words that decided it.

One pass over the text finds every phrase of every language; then five layers, the first answer wins:
commands, strong urgent, weak urgent or very like an emergency, topics by phrases and likeness, and for what is left
one wrong letter in a longer word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ivr.folding import Folded, fold, romanise
from ivr.lexicon import (
    BEGINNINGS,
    COMMANDS,
    DECIDED,
    FILLERS,
    FIRST_WORDS,
    KEYS,
    KIN,
    NAME,
    ROMANISED,
    SAID,
    SPOKEN_KEYS,
    STRONG,
    TOPICS,
    URGENT,
    WEAK,
    WEIGHTS,
    Combination,
    Found,
    Lexicon,
    find,
)
from ivr.model import KINDS
from ivr.telling import Telling, language_of
from ivr.weighing import Features, features_of, read_examples, scales

MASKED = URGENT | {"symptom"}  # what an idiom speaks for
CLOSE = 6  # words: a combination as tight as this stands in one clause
SOUNDED = frozenset(KIN.get(tag, tag) for tag in ROMANISED)
UNWEIGHED = frozenset([*FILLERS, "wanting"])
ANYWHERE = frozenset([*STRONG, *COMMANDS, *FILLERS, "leave"])  # counts in a text of whatever language; so do names
BORROWED = frozenset([*WEAK, *WEIGHTS])
MOST_WORDS = 14  # of a command with all courtesy around it
# Differences of weights, in natural logarithms, chosen by trying: where false alarms rose faster than recall.
ALARMED = 10.0  # so much more like an emergency than like anything else, without a danger word
DENIED = 20.0  # the same, where each danger word is asked about or denied, or the medicine only runs out
CALMED = -12.0  # so much less, that a danger word alone is none
KIND_LEAD = 4.0  # by which a special kind of urgent must lead the general one
PHRASED = 3.0  # one point of a phrase
STRANGE = 7.0  # by which a topic must lead "unknown"
BREAK = 1000  # clauses that a "but" may make of one
BRIEF = 3  # words: too few to tell the language, so the words of all are tried


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text means, in which language it is written, and why we think so."""

    intents: tuple[str, ...]
    kind: str | None = None
    language: str | None = None
    layer: str = "unknown"
    rule: str = ""
    words: tuple[str, ...] = ()
    danger: bool = False
    nearest: tuple[str, ...] = ()
    chosen: str | None = None
    argument: str = ""


@dataclass(frozen=True)
class Reading:
    """One text with all that was found in it."""

    text: str
    folded: Folded
    found: Mapping[str, Mapping[str, list[Found]]]  # by tongue and concept
    language: str | None
    remembered: str | None
    tongue: str  # the likeliest
    lexicon: Lexicon

    @cached_property
    def features(self) -> Features:
        """What this text is weighed by: words and concepts, and pairs of concepts."""
        concepts = {concept for hits in self.found.values() for concept in hits} - UNWEIGHED
        return features_of(self.folded.words, self.tongue, self.tongue in SOUNDED, concepts)

    @cached_property
    def alarm(self) -> float:
        return self.lexicon.scales.alarm(self.features)

    def of(self, *concepts: str) -> list[Found]:
        some = [hits for hits in self.found.values() if not hits.keys().isdisjoint(concepts)]
        return [hit for hits in some for concept in concepts for hit in hits.get(concept, ())]

    def words(self, hits: Iterable[Found]) -> tuple[str, ...]:
        return tuple(" ".join(self.folded.words[hit.first : hit.last + 1]) for hit in hits)

    def clause(self, hit: Found) -> int:
        return self.folded.clauses[hit.last]


def understand(text: str, language: str | None, lexicon: Lexicon) -> Understanding:
    """The meaning of one text; `language` is the remembered one and decides only what the text leaves open."""
    reading = _reading(text, fold(text), language, lexicon)
    layers = (_key, _country, _command, _strong, _courteous, _weak, _leave, _topic, _fuzzy)
    answers = (answer for layer in layers if (answer := layer(reading)))
    return replace(next(answers, None) or _unknown(reading), language=reading.language)


def _reading(text: str, folded: Folded, remembered: str | None, lexicon: Lexicon) -> Reading:
    told = language_of(text, remembered, lexicon.features, lexicon.scripts)
    found = _unmasked(_heard(folded, told, lexicon), folded)
    found += _amounts(found)
    by_tongue = _sorted(found)
    for rule, group in list(_combined(by_tongue, folded, weak=True)):
        by_tongue[group[0].cue.tongue].setdefault("scene", []).append(_scene(rule, group))
    folded = Folded(folded.words, _clauses(folded, found), folded.asked)
    likeliest = told.language or remembered or told.near[0]
    return Reading(text, folded, by_tongue, told.language, remembered, KIN.get(likeliest, likeliest), lexicon)


def taught(lexicon: Lexicon, files: Mapping[str, Path]) -> Lexicon:
    """The lexicon with what its own examples, and those of these files by language, teach."""
    examples = [
        (_MEANING[line.concept], text, line.language)
        for line in lexicon.lines
        for text in (line.examples if line.concept in _MEANING else ())
    ]
    for language, path in files.items():
        examples += [(meaning, text, language) for meaning, text in read_examples(path)]
    return replace(lexicon, scales=scales(_weighable(examples, lexicon)))


def _weighable(examples: Iterable[tuple[str, str, str]], lexicon: Lexicon) -> Iterator[tuple[str, Features]]:
    for meaning, text, language in examples:
        yield meaning, _reading(text, fold(text), language, lexicon).features


_MEANING = {
    **{concept: f"urgent.{kind}" for concept, kind in (STRONG | WEAK).items()},
    **{topic: topic for topic in TOPICS},
    "chatter": "unknown",
    "menu": "menu",
}


def _heard(folded: Folded, told: Telling, lexicon: Lexicon) -> list[Found]:
    """The phrases that count: all of the languages that the text may be in; of any other only what is never harmless.

    Everybody borrows English words, but not the small ones around them. Two or three words tell no language.
    """
    found = find(folded, lexicon)
    found += _numbers(folded, lexicon, {hit.first for hit in found if hit.concept == "unit"})
    if len(folded.words) <= BRIEF:
        return found
    tongues = {KIN.get(tag, tag) for tag in told.near}
    return [
        hit
        for hit in found
        if hit.cue.tongue in tongues or hit.concept in ANYWHERE or (hit.cue.tongue == "en" and hit.concept in BORROWED)
    ]


def _sorted(found: Iterable[Found]) -> dict[str, dict[str, list[Found]]]:
    by_tongue: dict[str, dict[str, list[Found]]] = {}
    for hit in found:
        by_tongue.setdefault(hit.cue.tongue, {}).setdefault(hit.concept, []).append(hit)
    return by_tongue


def _clauses(folded: Folded, found: Iterable[Found]) -> tuple[int, ...]:
    """A "but" begins a new clause as a full stop does."""
    breaks = sorted({hit.first for hit in found if hit.concept == "but"})
    return tuple(clause * BREAK + bisect_right(breaks, at) for at, clause in enumerate(folded.clauses))


def _amounts(found: Iterable[Found]) -> list[Found]:
    """A number that counts pills: "30 of her pills", or right behind as in "vidonge 30"."""
    pills = [hit for hit in found if hit.concept in {"pill", "drug"}]
    return [
        Found(replace(many.cue, concept="amount"), min(many.first, pill.first), max(many.last, pill.last))
        for many in found
        if many.concept == "many"
        for pill in pills
        if many.cue.tongue == pill.cue.tongue and (0 < pill.first - many.last <= 4 or many.first - pill.last == 1)
    ]


def _unmasked(found: list[Found], folded: Folded) -> list[Found]:
    """An idiom speaks for its words: in "this heat is killing me" nobody is dying."""
    clauses = folded.clauses
    idioms = [hit for hit in found if hit.concept == "idiom" and clauses[hit.first] == clauses[hit.last]]
    if not idioms:
        return found
    return [hit for hit in found if hit.concept not in MASKED or not any(idiom.meets(hit) for idiom in idioms)]


def _numbers(folded: Folded, lexicon: Lexicon, units: Container[int]) -> list[Found]:
    """Four or more of anything is many; a year, an hour or a weight (`units`: where one stands) is not."""
    return [
        Found(lexicon.many[tongue], at, at)
        for at, word in enumerate(folded.words)
        if word.isdecimal() and len(word) < 4 and int(word) >= 4 and at + 1 not in units
        for tongue in lexicon.many
    ]


# Commands: the whole message and nothing less.


def _key(reading: Reading) -> Understanding | None:
    """A key alone, as a digit or a word, with no more beside it than "press" and "please" in one language."""
    if len(reading.folded.words) > MOST_WORDS:
        return None
    if reading.text.strip() == "#":
        return Understanding(("menu",), layer="command", rule="#", words=("#",))
    for hits in (*reading.found.values(), {}):
        beside = _covered(hit for concept in ("polite", "press") for hit in hits.get(concept, ()))
        left = [at for at in range(len(reading.folded.words)) if at not in beside]
        key = _pressed(reading.folded.words[left[0]], left[0], hits) if len(left) == 1 else ""
        if key in KEYS:
            kind = "general" if KEYS[key] == "urgent" else None
            words = (reading.folded.words[left[0]],)
            return Understanding((KEYS[key],), kind, layer="command", rule=f"key.{key}", words=words)
    return None


def _pressed(word: str, at: int, hits: Mapping[str, list[Found]]) -> str:
    if word.isdecimal():
        return word
    named = [concept for concept in SPOKEN_KEYS for hit in hits.get(concept, ()) if hit.first == at == hit.last]
    return named[0].removeprefix("key.") if named else ""


def _covered(hits: Iterable[Found]) -> set[int]:
    return {word for hit in hits for word in range(hit.first, hit.last + 1)}


def _without(reading: Reading, *concepts: str) -> list[str]:
    """The words of the text that these concepts do not cover."""
    covered = _covered(reading.of(*concepts)) if concepts else ()
    return [word for at, word in enumerate(reading.folded.words) if at not in covered]


def _country(reading: Reading) -> Understanding | None:
    """The first words of a short message name the command, the rest is its argument, as typed."""
    words = reading.folded.words
    typed = [word for word in reading.text.split() if any(letter.isalnum() for letter in word)]
    for length in range(1, 5 if len(typed) <= 5 else 1):
        phrase = " ".join(words[:length])
        if "country" in reading.lexicon.commands.get(phrase, ()):
            spaced = len(typed) > 1 or len(words) <= length  # Chinese has no space before the name
            argument = " ".join(typed[length:]) if spaced else reading.text.strip()[length:]
            return Understanding(("country",), layer="command", rule="country", words=(phrase,), argument=argument)
    return None


def _command(reading: Reading, *dropped: str) -> Understanding | None:
    """What is left without these words is a command from end to end."""
    if len(reading.folded.words) > MOST_WORDS or (dropped and not reading.of(dropped[-1])):
        return None
    phrase = " ".join(_without(reading, *dropped))
    for concept in reading.lexicon.commands.get(phrase) or _sounding(phrase, reading):
        chosen = concept.removeprefix(NAME) if concept.startswith(NAME) else None
        if concept != "stop" or "wanting" not in dropped:  # "please stop" leaves, "I want to stop" asks
            intent = "language" if chosen else {"help": "menu"}.get(concept, concept)
            return Understanding((intent,), layer="command", rule=concept, words=(phrase,), chosen=chosen)
    return None


def _sounding(phrase: str, reading: Reading) -> tuple[str, ...]:
    """Commands of Hindi and Urdu in Latin letters, which everybody spells by ear."""
    short = phrase.isascii() and phrase.count(" ") < BRIEF
    return reading.lexicon.commands.get(romanise(phrase), ()) if short else ()


def _courteous(reading: Reading) -> Understanding | None:
    """A command with please and thank you around it; after the emergencies, since "I need help now" is one."""
    return (
        _command(reading, "polite")
        or _command(reading, "polite", "wanting")
        or _command(reading, "polite", "wanting", "speak")
    )


# Urgent: strong words, combinations of words, then the weaker ones in their frame.


def _strong(reading: Reading) -> Understanding | None:
    together = [(rule.rule, rule.kind, group) for rule, group in _combined(reading.found, reading.folded, weak=False)]
    alone = [(hit.concept, STRONG[hit.concept], (hit,)) for hit in reading.of(*STRONG)]
    fired = [each for each in (*together, *alone) if not (_may_be_asked(each) and _wondered(each[2], reading))]
    return _urgent(reading, "strong", fired)


def _may_be_asked(fired: tuple[str, str, tuple[Found, ...]]) -> bool:
    """Fits and withdrawal are asked about beforehand; who cannot breathe or be woken never is a mere question."""
    rule, kind, _ = fired
    return rule == "seizing" or kind == "withdrawal"


def _wondered(hits: Sequence[Found], reading: Reading) -> bool:
    """Whether a text that is far more like calm ones asks, in the same clause, if such a thing can happen."""
    asking = {reading.clause(hit) for hit in reading.of("asking")}
    return reading.alarm < CALMED and not asking.isdisjoint(reading.clause(hit) for hit in hits)


def _combined(
    found: Mapping[str, Mapping[str, list[Found]]], folded: Folded, weak: bool
) -> Iterator[tuple[Combination, tuple[Found, ...]]]:
    """The combinations that stand in the text, each within one language."""
    for hits in found.values():
        for combination in (each for concept in hits for each in BEGINNINGS.get(concept, ())):
            if combination.weak != weak or not hits.keys() >= {*combination.concepts}:
                continue
            group = _together(combination, hits, folded)
            if group and not any(frame in hits for frame in combination.unless):
                yield combination, group


def _together(combination: Combination, hits: Mapping[str, list[Found]], folded: Folded) -> tuple[Found, ...]:
    """For each place of the first concept the nearest of the others; empty when they stand too far apart."""
    for anchor in hits[combination.concepts[0]]:
        group = [anchor]
        for concept in combination.concepts[1:]:
            apart = [hit for hit in hits[concept] if not any(hit.meets(other) for other in group)]
            if apart:
                group.append(min(apart, key=lambda hit: abs(hit.first - anchor.first)))
        reach = max(hit.last for hit in group) - min(hit.first for hit in group)
        whole = combination.within > CLOSE or len({folded.clauses[hit.last] for hit in group}) == 1
        if len(group) == len(combination.concepts) and reach < combination.within and whole:
            return tuple(group)
    return ()


def _weak(reading: Reading) -> Understanding | None:
    """Danger words that nothing around them makes harmless; and texts that are very like an emergency without them."""
    now = {reading.clause(hit) for hit in reading.of("now")}  # what happens now is no matter of likeness
    dangers = reading.of(*WEAK)
    fired = [hit for hit in dangers if not _framed(hit, reading)]
    if reading.alarm < CALMED and len(reading.folded.words) > BRIEF:
        fired = [hit for hit in fired if reading.clause(hit) in now]
    if fired:
        return _urgent(reading, "weak", [(hit.cue.rule or hit.concept, WEAK[hit.concept], (hit,)) for hit in fired])
    alarmed = reading.alarm > (DENIED if dangers or reading.of("stopping") else ALARMED)
    return _like(reading) if alarmed and len(reading.folded.words) > BRIEF else None


def _like(reading: Reading) -> Understanding:
    """Urgent by likeness, of the kind that its examples have or in doubt general; and the words that weighed most."""
    weights = reading.lexicon.scales.weigh(reading.features)
    kinds = {kind: weights.get(f"urgent.{kind}", 0.0) - (kind != "general") * KIND_LEAD for kind in KINDS}
    telling = reading.lexicon.scales.telling(reading.features)[:3]
    words = tuple(feature.partition(":")[2] or feature for feature in telling)
    return Understanding(
        ("urgent",), max(kinds, key=lambda kind: kinds[kind]), layer="like", rule="urgent", words=words
    )


def _scene(combination: Combination, group: Sequence[Found]) -> Found:
    """A weak combination counts as one danger word that reaches from its first word to its last."""
    cue = replace(group[0].cue, concept="scene", rule=combination.rule)
    return Found(cue, min(hit.first for hit in group), max(hit.last for hit in group))


def _framed(hit: Found, reading: Reading) -> bool:
    if reading.of("noise"):
        return True
    clause = reading.clause(hit)
    spoken = reading.of("negation", "history", "now", "asking")
    if any(each.concept == "negation" and 0 < hit.first - each.last <= 3 for each in spoken):
        return True
    frames = {each.concept for each in spoken if reading.clause(each) == clause and not hit.holds(each)}
    if "history" in frames:
        return True
    asked = clause // BREAK in reading.folded.asked and len(reading.folded.words) <= 3
    return "now" not in frames and (asked or "asking" in frames)


def _urgent(reading: Reading, layer: str, fired: list[tuple[str, str, tuple[Found, ...]]]) -> Understanding | None:
    if not fired:
        return None
    order = ("overdose", "self_harm", "pump", "withdrawal", "general")
    rule, kind, hits = min(fired, key=lambda each: order.index(each[1]))
    topics = _named_topics(reading)
    return Understanding(("urgent", *topics[:1]), kind, layer=layer, rule=rule, words=reading.words(hits))


def _named_topics(reading: Reading) -> list[str]:
    """Topics that phrases name beside the emergency, not those that it is only like; its own signs name none."""
    topics, hits = _topics(reading)
    named = {topic for hit in hits for topic, weight in WEIGHTS.get(hit.concept, {}).items() if weight >= DECIDED}
    return [topic for topic in topics if topic in named - {"side_effects"}]


# Everything else.


def _leave(reading: Reading) -> Understanding | None:
    """A fixed phrase about the messages, in a short text that does not speak of the medicine."""
    leaving = reading.of("leave")
    if not leaving or len(reading.folded.words) > 12 or reading.of("drug", "pill"):
        return None
    return Understanding(("stop",), layer="command", rule="leave", words=reading.words(leaving))


def _topic(reading: Reading) -> Understanding | None:
    topics, hits = _topics(reading)
    if not topics and reading.of("drug") and not _without(reading, "drug", "pill", "polite"):
        topics, hits = ("uses",), reading.of("drug")  # the bare name of the medicine
    if not topics:
        return None
    danger = bool(reading.of(*WEAK, *STRONG))
    if not hits:
        return Understanding(topics, layer="like", rule=topics[0], danger=danger)
    rule = "+".join(dict.fromkeys(hit.concept for hit in hits))
    return Understanding(topics, layer="topic", rule=rule, words=reading.words(hits), danger=danger)


def _topics(reading: Reading) -> tuple[tuple[str, ...], list[Found]]:
    """At most two topics, in order of strength, and the cues that speak for them.

    What phrases say weighs most; likeness to examples decides between near ones, and where there is no phrase.
    """
    hits, scores = next(
        (each for each in _by_language(reading) if max(each[1].values(), default=0) >= DECIDED), ({}, {})
    )
    weights = reading.lexicon.scales.weigh(reading.features)
    whole = {topic: weights.get(topic, 0.0) + PHRASED * scores.get(topic, 0) for topic in TOPICS}
    first, second = sorted(TOPICS, key=lambda topic: (-whole[topic], TOPICS.index(topic)))[:2]
    plain = scores.get(first, 0) >= DECIDED and _is_all(hits, reading)  # such as the words of our own menu
    strange = not plain and whole[first] <= weights.get("unknown", 0.0) + STRANGE
    near = [first]
    if "stopping" in hits and scores.get("stopping", 0) >= DECIDED:  # what can kill is never unknown, and is said first
        near = ["stopping", *([first] if first != "stopping" and not strange else [])]
    elif strange:
        return (), []
    elif scores.get(second, 0) >= max(DECIDED, scores.get(first, 0) / 2):
        near.append(second)
    return tuple(near), [hit for each in hits.values() for hit in each if _speaks_for(hit, near)]


def _speaks_for(hit: Found, topics: Iterable[str]) -> bool:
    return hit.concept in WEAK or not WEIGHTS.get(hit.concept, {}).keys().isdisjoint(topics)


def _by_language(reading: Reading) -> Iterator[tuple[Mapping[str, list[Found]], dict[str, int]]]:
    """Cues and scores of the text's own language first, then of the remembered one, then of any that it may be in."""
    own = (KIN.get(tag, tag) for tag in (reading.language, reading.remembered) if tag)
    first = [tongue for tongue in dict.fromkeys(own) if tongue in reading.found]
    for tongue in first:
        yield reading.found[tongue], _scores(reading.found[tongue], reading)
    rest = [(hits, _scores(hits, reading)) for tongue, hits in reading.found.items() if tongue not in first]
    yield from sorted(rest, key=lambda each: -sum(each[1].values()))


def _scores(concepts: Mapping[str, list[Found]], reading: Reading) -> dict[str, int]:
    """The weight of all cues; a word counts once, in the longest phrase around it."""
    weighed = [hit for concept in concepts if concept in WEIGHTS for hit in concepts[concept]]
    scores: dict[str, int] = {}
    if (
        not WEAK.keys().isdisjoint(concepts) and "noise" not in concepts
    ):  # "can it cause fits": effects; "I had fits years ago": warnings
        past = "history" in concepts and "asking" not in concepts
        scores["warnings" if past else "side_effects"] = 2 if "asking" in concepts else 1
    taken: set[tuple[str, int]] = set()
    for hit in sorted(_outermost(weighed), key=lambda hit: -max(WEIGHTS[hit.concept].values())):
        for topic, weight in WEIGHTS[hit.concept].items():
            words = {(topic, word) for word in range(hit.first, hit.last + 1)}
            if taken.isdisjoint(words):
                taken |= words
                scores[topic] = scores.get(topic, 0) + weight
    if scores and ("drug" in concepts or "pill" in concepts or _is_all(concepts, reading)):
        scores = {topic: weight + 1 for topic, weight in scores.items()}
    return scores


def _is_all(concepts: Mapping[str, list[Found]], reading: Reading) -> bool:
    """Whether the text says nothing but cues and courtesy."""
    said = [hit for concept in concepts if concept in SAID for hit in concepts[concept]]
    return len(_covered(said)) == len(reading.folded.words)


def _outermost(hits: Iterable[Found]) -> Iterator[Found]:
    """Longer phrases speak for the words in them; the very same words may still speak for two topics."""
    begin, end = -1, -1
    for hit in sorted(hits, key=lambda hit: (hit.first, -hit.last)):
        if hit.last > end or (hit.first, hit.last) == (begin, end):
            begin, end = hit.first, hit.last
            yield hit


def _fuzzy(reading: Reading) -> Understanding | None:
    """One wrong letter in a longer word, when the words it could be all speak for the same topic."""
    words = list(reading.folded.words)
    danger = False
    for at, word in enumerate(words):
        likely = _likely(word, reading) if len(word) >= 6 and at < FIRST_WORDS else {}
        concepts = {concept for each in likely.values() for concept in each}
        danger = danger or not concepts.isdisjoint({*STRONG, *WEAK})
        if likely and len({topic for concept in concepts for topic in WEIGHTS.get(concept, {"": 0})}) == 1:
            words[at] = next(iter(likely))
    if tuple(words) == reading.folded.words and not danger:
        return None
    mended = Folded(tuple(words), reading.folded.clauses, reading.folded.asked)
    again = _reading(reading.text, mended, reading.remembered, reading.lexicon)
    answer = None if again.of(*STRONG, *WEAK) else _topic(again)
    sure = answer and (len(words) <= 2 or set(answer.intents) & set(_unknown(reading).nearest) or reading.of("drug"))
    answer = replace(answer, layer="fuzzy") if answer and sure else _unknown(reading)
    return replace(answer, danger=answer.danger or danger)


def _likely(word: str, reading: Reading) -> dict[str, frozenset[str]]:
    """The known words one letter away, in the text's language or else in the remembered one."""
    known = reading.lexicon.vocabulary.get(reading.language or reading.remembered or "en", {})
    if word in known:
        return {}
    near = process.extract(word, known.keys(), scorer=Levenshtein.distance, score_cutoff=1, limit=5)
    return {each: known[each] for each, _, _ in near}


def _unknown(reading: Reading) -> Understanding:
    tallies = [scores for _, scores in _by_language(reading)]
    scores = max(tallies, key=lambda tally: sum(tally.values()), default={})
    nearest = sorted(scores, key=lambda topic: (-scores[topic], TOPICS.index(topic)))[:2]
    return Understanding(("unknown",), danger=bool(reading.of(*WEAK, *STRONG)), nearest=tuple(nearest))
