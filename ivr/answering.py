"""The heart: from a message to a reply, knowing neither Flask nor Twilio nor a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ivr.catalogue import Catalogue
from ivr.countries import find
from ivr.model import KEYS, NEUTRAL_WORDS, TOPICS, Message, Place, Reply, Sentence, first_part, urgent
from ivr.understanding import Understanding, understand
from ivr.wording import KEY_OF, Wording

MENU, WELCOME, LANGUAGES, PERSON = Place("menu"), Place("welcome"), Place("languages-1"), Place("person")
QUEUED, ANSWERED, CALLED = "queued", "answered", "called"  # outcomes of what a reply wanted
ASKED_AGAIN = 3  # times; then the urgent message once, and a goodbye
LISTENS = ("menu", "welcome")  # places where speech is heard beside keys
UNREACHABLE = ("withheld", "landline", "opted_out", "number")  # refusals that mean: no text can ever come
OFFERED_AT_ONCE = 4  # languages in one spoken prompt; key 9 brings the next ones


def answer(message: Message, catalogue: Catalogue) -> Reply:
    """What to say to a message, in which language, and where the person is then. Never raises, never empty."""
    if message.channel == "voice":
        return _Call(message, catalogue).reply()
    return _Text(message, catalogue).reply()


# Texts


class _Text:
    """One text and what is known of its sender, while it is being answered."""

    def __init__(self, message: Message, catalogue: Catalogue) -> None:
        self.message = message
        self.catalogue = catalogue
        known = message.languages[0] if message.languages else None
        self.meaning: Understanding = understand(message.words or "", known, catalogue.lexicon)
        self.languages = self._languages()
        self.country = message.country
        self.place = MENU
        self.wants = ""

    @property
    def wording(self) -> Wording:
        return self.catalogue.languages[self.languages[0]]

    def _languages(self) -> tuple[str, ...]:
        """The language of the text where it tells, else the one remembered, else the country's.

        COUNTRY and the carrier's own words are the same in every language, and tell nothing.
        """
        word = (self.message.words or "").strip().upper()
        neutral = "country" in self.meaning.intents or word in NEUTRAL_WORDS
        told = "" if neutral else self.meaning.language or ""
        offered = [code for code in (told, *self.message.languages) if code in self.catalogue.languages]
        return tuple(offered[:1]) or self.catalogue.likely(self.message.country)

    def reply(self) -> Reply:
        if not (self.message.words or "").strip():
            return self._say(["unknown"], self._with_menu("words_only"))
        intents = self.meaning.intents
        texts = [text for intent in intents for text in self._answered(intent)]
        if self.meaning.danger and "urgent" not in intents:
            texts[0] = f"{self.wording.emergency(self.country)}\n{texts[0]}"
        return self._say(intents, *texts)

    def _answered(self, intent: str) -> Sequence[str]:
        if intent in TOPICS:
            return self._part(first_part(intent))
        match intent:
            case "urgent":
                kind = self.meaning.kind or "general"
                self.place = urgent(kind)
                return self._urgent(kind)
            case "more":
                return self._more()
            case "report":
                return self._part(first_part("report"))
            case "language":
                return [self._language()]
            case "country":
                return [self._country()]
            case "call_me":
                return [self._call_me()]
            case "stop":
                return [f"{self.wording.sms('opt_out')}\n{self.wording.emergency(self.country)}"]
            case "menu":
                return [self._with_menu(*self._about())]
        return [self._with_menu("unknown")]

    def _about(self) -> list[str]:
        """What the menu opens with, after the emergency line."""
        drafted = self.languages[0] not in self.catalogue.approved
        return [
            "welcome",
            *(["draft"] if drafted else []),
            *(["country_how"] if self.wording.numbered(self.country) else []),
        ]

    def _urgent(self, kind: str) -> Sequence[str]:
        """The urgent message; where the text's own language is withheld, in that one too: urgent words never are."""
        withheld = self.catalogue.withheld.get(self.meaning.language or "")
        alone = len(self.meaning.intents) == 1 and not withheld
        texts = [self.wording.urgent_text(kind, self.country, alone=alone)]
        return [*texts, withheld.urgent_text(kind, self.country)] if withheld else texts

    def _pages(self, topic: str) -> tuple[str, ...]:
        if topic == "report":
            return self.wording.report_texts(self.country)
        return self.wording.pages.get(topic, ())

    def _part(self, place: Place) -> Sequence[str]:
        self.place = place
        return [self._pages(place.topic)[place.part - 1]]

    def _more(self) -> Sequence[str]:
        following = self.message.place.next
        if following.part <= len(self._pages(following.topic)):
            return self._part(following)
        return [self._with_menu("nothing_more")]

    def _language(self) -> str:
        chosen = self.meaning.chosen
        if chosen and chosen in self.catalogue.languages:
            self.languages = (chosen,)
            return f"{self.wording.sms('language_set', key=KEY_OF['language'])}\n{self._with_menu()}"
        names = self.wording.sms("language_list", names=self.catalogue.language_names)
        return f"{names}\n{self.wording.emergency(self.country)}"

    def _country(self) -> str:
        named = find(self.meaning.argument, self.catalogue.country_names)
        if named is None:
            return f"{self.wording.emergency(self.country)}\n{self.wording.sms('country_unknown')}"
        self.country = named
        name = self.wording.country_name(named)
        told = self.wording.sms("country_set", country=name)
        return f"{told} {self._with_menu()}"

    def _call_me(self) -> str:
        """A call back reads aloud what was texted last; the place stays, so that it knows."""
        self.place = self.message.place
        if not self.message.outcome and "call" in self.message.ways:
            self.wants = "call"
        if self.message.outcome == QUEUED:
            return f"{self.wording.sms('call_soon')}\n{self.wording.emergency(self.country)}"
        return self._with_menu("call_refused")

    def _with_menu(self, *names: str) -> str:
        """The emergency line, what went before, and the menu: what every text gets that asks for nothing else."""
        wording = self.wording
        first = [wording.emergency(self.country), *(wording.sms(name) for name in names)]
        nearest = self.meaning.nearest if "unknown" in names else ()
        if len(nearest) == 2:
            labels = [wording.topic_label(topic) for topic in nearest]
            first.append(wording.sms("nearest", first=labels[0], second=labels[1]))
        return " ".join(first) + "\n" + wording.menu_text(calls="call" in self.message.ways)

    def _say(self, intents: Sequence[str], *texts: str) -> Reply:
        decided = " ".join((self.meaning.layer, self.meaning.rule)).strip()
        said = tuple(Sentence(text, self.languages[0]) for text in texts)
        return Reply(
            tuple(intents),
            self.languages,
            self.country,
            self.place,
            said,
            decided=decided,
            wants=self.wants,
            danger=self.meaning.danger,
        )


# Calls


class _Call:
    """One step of a call: a key, words, or none."""

    def __init__(self, message: Message, catalogue: Catalogue) -> None:
        self.message = message
        self.catalogue = catalogue
        offered = tuple(code for code in message.languages if code in catalogue.languages)
        self.languages = offered or catalogue.likely(message.country)
        self.wording = catalogue.languages[self.languages[0]]
        self.place = message.place if self._exists(message.place) else MENU

    def _exists(self, place: Place) -> bool:
        if place.topic == "languages" and not self._offered(place):
            return False
        return place.name == PERSON.name or self.wording.has(place, self.message.country)

    def reply(self) -> Reply:
        if self.place.topic == "person":
            return self._person()
        if self.message.words:
            return self._pressed(self.message.words[0])
        if self.message.heard is not None:
            return self._heard(self.message.heard)
        if self.place.tries == 0:
            return self._ask(self.place, "prompt", self._opening())
        return self._ask(self.place, "silence", () if self.place.topic == "urgent" else self._silence())

    def _opening(self) -> tuple[str, ...]:
        """What goes before the first prompt: why we call, or that the caller's own language has no voice yet."""
        called = self.wording.voice("called_back") if self.message.outcome == CALLED else ()
        own = next(iter(self.message.languages), "")
        if own in self.catalogue.languages or own not in self.wording.edition.voiceless:
            return called
        return (*called, *self.wording.voice("cannot_speak", language=self.wording.edition.voiceless[own]))

    def _silence(self) -> tuple[str, ...]:
        speaks = self.place.topic in LISTENS and self.wording.edition.hears
        return (*self.wording.voice("silence"), *(self.wording.voice("speak_too") if speaks else ()))

    def _pressed(self, key: str) -> Reply:
        if self.place.topic == "languages" and key in "12345678":  # only here do they choose a language
            return self._language(int(key))
        intent = KEYS.get(key, "")
        if intent == "urgent" and self.place.topic == "urgent" and "person" in self.message.ways:
            return replace(self._say(PERSON, "person", self.wording.voice("person_called")), wants="person")
        if intent == "repeat":
            kept = self.place.tries if self.place.topic == "urgent" else 0  # which language it is spoken in
            return self._ask(Place(self.place.name, kept), "repeat")
        return self._go(intent)

    def _go(self, intent: str, kind: str = "general") -> Reply:
        match intent:
            case "urgent":
                return self._ask(urgent(kind), "urgent")
            case "menu":
                self.languages = self.languages[:1]
                return self._ask(MENU, "menu")
            case "language":
                return self._languages()
            case "more":
                return self._more()
            case "text_me":
                return self._text_me()
            case topic if topic in TOPICS:
                self.languages = self.languages[:1]
                return self._ask(first_part(topic), topic)
        return self._wrong("wrong_key")

    def _heard(self, words: str) -> Reply:
        """Speech, by the same understanding as a text. A cry for help needs no certainty, anything else does."""
        meaning = understand(words, self.languages[0], self.catalogue.lexicon)
        intent = meaning.intents[0]
        asks = intent in TOPICS and self.message.sure  # "can it cause seizures?" is a question
        if intent == "urgent" or meaning.rule == "help" or (meaning.danger and not asks):
            return self._go("urgent", meaning.kind or "general")
        if meaning.danger:
            return self._ask(first_part(intent), intent, (self.wording.urgent_invitation(),))
        if meaning.chosen in self.catalogue.languages and self.message.sure:
            return self._chosen(str(meaning.chosen))
        understood = {"stop": "stopping", "report": "urgent"}.get(intent, intent)  # the report comes after the urgent
        if not self.message.sure or understood in ("unknown", "country", "call_me"):
            return self._wrong("not_heard")
        return self._go(understood)

    def _text_me(self) -> Reply:
        """The topic just heard, as a text: asked of the channel first, then told what became of it."""
        if self.place.topic not in TOPICS:
            return self._wrong("wrong_key")
        if not self.message.outcome:
            return replace(self._say(self.place, "text_me", ()), wants="text")
        told = {QUEUED: "text_sent", **dict.fromkeys(UNREACHABLE, "text_unreachable")}
        lead = self.wording.voice(told.get(self.message.outcome, "text_refused"))
        return self._ask(MENU, "text_me", lead)

    def _person(self) -> Reply:
        """After a person was called: the call is over, or nobody answered and the emergency number is said."""
        if self.message.outcome == ANSWERED:
            return self._say(MENU, "person", self.wording.voice("goodbye"), ends=True)
        lead = (*self.wording.voice("person_away"), *self.wording.emergency_spoken(self.message.country))
        return self._ask(MENU, "person", lead)

    def _languages(self) -> Reply:
        """The list of languages, or the next ones of it."""
        following = self.place.next if self.place.topic == "languages" else LANGUAGES
        self.languages = self.catalogue.likely(self.message.country, self.languages)
        return self._ask(following if self._offered(following) else LANGUAGES, "language")

    def _offered(self, place: Place) -> tuple[str, ...]:
        start = (place.part - 1) * OFFERED_AT_ONCE
        return self.languages[start : start + OFFERED_AT_ONCE]

    def _language(self, number: int) -> Reply:
        offered = self._offered(self.place)
        if number > len(offered):
            return self._wrong("wrong_key")
        return self._chosen(offered[number - 1])

    def _chosen(self, language: str) -> Reply:
        self.languages = (language,)
        self.wording = self.catalogue.languages[language]
        return self._ask(WELCOME, "language")

    def _more(self) -> Reply:
        following = self.place.next
        if self.place.topic in ("menu", "welcome", "languages") or not self.wording.has(
            following, self.message.country
        ):
            return self._wrong("wrong_key")
        return self._ask(following, "more")

    def _wrong(self, prompt: str) -> Reply:
        place = MENU if self.place == WELCOME else self.place
        return self._ask(place.again(), "unknown", self.wording.voice(prompt))

    def _ask(self, place: Place, intent: str, lead: tuple[str, ...] = ()) -> Reply:
        if place.tries > ASKED_AGAIN:
            lines = (
                *self.wording.urgent_spoken("general", self.message.country),
                *self.wording.voice("goodbye"),
            )
            return self._say(place, "goodbye", lines, ends=True)
        if place.topic == "languages":
            return self._say(place, intent, lead, self._offers(place))
        if place.topic == "urgent":
            self.wording = self.catalogue.languages[self.languages[min(place.tries, len(self.languages) - 1)]]
        return self._say(
            place, intent, (*lead, *self.wording.spoken_at(place, self.message.country), *self._offer(place))
        )

    def _offer(self, place: Place) -> tuple[str, ...]:
        """What this line can do beyond words, named after what the place says."""
        if place.topic in TOPICS and "text" in self.message.ways:
            return self.wording.voice("text_offer", key=KEY_OF["text_me"])
        if place.topic == "urgent" and "person" in self.message.ways:
            return self.wording.voice("person_offer", key=KEY_OF["urgent"])
        return ()

    def _offers(self, place: Place) -> tuple[Sentence, ...]:
        """Languages, each in its own words; 0 is named right after the first two, before any other language."""
        wordings = [self.catalogue.languages[code] for code in self._offered(place)]
        offers = [wording.voice("language_offer", key=str(number)) for number, wording in enumerate(wordings, 1)]
        groups = [*zip(wordings[:2], offers[:2], strict=True)]
        groups += [(wording, (wording.urgent_invitation(),)) for wording in wordings[:2]]
        groups += zip(wordings[2:], offers[2:], strict=True)
        if len(self.languages) > OFFERED_AT_ONCE:
            groups += [(wording, wording.voice("language_label", key=KEY_OF["language"])) for wording in wordings[:1]]
        return tuple(Sentence(line, wording.edition.language) for wording, lines in groups for line in lines)

    def _say(
        self,
        place: Place,
        intent: str,
        lines: tuple[str, ...],
        more: tuple[Sentence, ...] = (),
        *,
        ends: bool = False,
    ) -> Reply:
        said = (*(Sentence(line, self.wording.edition.language) for line in lines), *more)
        return Reply((intent,), self.languages, self.message.country, place, said, ends)


def after_silence(reply: Reply) -> Place:
    """Where a call goes on when nobody presses a key. Tries only grow, so silence always comes to an end."""
    place = reply.place
    if place.topic == "urgent" and place.tries + 1 < max(2, len(reply.languages)):
        return place.again()
    if place.topic in ("menu", "languages"):
        return place.again()
    home = MENU if len(reply.languages) == 1 else LANGUAGES
    return replace(home, tries=place.tries + 1)
