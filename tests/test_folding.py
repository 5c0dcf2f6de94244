"""Careful and careless spellings of the same words must fold to the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.folding import fold, fold_words, romanise

SAME = [
    ("can't", "CANT"),
    ("can’t", "cant"),
    ("swallowed", "swalowed"),
    ("heeeelp", "help"),
    ("0verd0se h3lp", "overdose help"),
    ("10mg", "10 mg"),
    ("2.5 mg", "2 mg"),
    ("1,000", "1000"),
    ("respiración", "RESPIRACION"),
    ("l’alcool", "l alcool"),
    ("không thở được", "khong tho duoc"),
    ("đang", "dang"),
    ("ｈｅｌｐ　３", "help 3"),
    ("٣ ३ ৩ ۳", "3 3 3 3"),
    ("أَخَذَ حُبُوبًا", "اخذ حبوبا"),
    ("كتـــاب", "کتاب"),
    ("قطرة", "قطره"),
    ("دوا لینے میں", "دوا لينے مين"),
    ("ज़्यादा", "ज्यादा"),
    ("साँस", "सांस"),
    ("बन्द", "बंद"),
    ("বন্ধ", "বংধ"),
    ("ещё", "еще"),
    ("呼吸困難", "呼吸困难"),
    ("ba\u200bclofen", "baclofen"),
]


@pytest.mark.parametrize(("written", "meant"), SAME)
def test_spellings_meet(written: str, meant: str) -> None:
    assert fold_words(written) == fold_words(meant)


@pytest.mark.parametrize("word", ["दुष्प्रभाव", "পার্শ্বপ্রতিক্রিয়া", "گولیاں", "побочные"])
def test_a_word_stays_one_word(word: str) -> None:
    assert len(fold(word).words) == 1


def test_of_and_off_stay_apart() -> None:
    assert fold_words("off") != fold_words("of")


def test_every_chinese_character_is_a_word() -> None:
    assert fold("呼吸困难").words == tuple("呼吸困难")


def test_an_emoji_is_a_word() -> None:
    assert fold("help🆘now 3️⃣").words == ("help", "🆘", "now", "3")


def test_clauses_are_counted_and_questions_remembered() -> None:
    folded = fold("he fell. is it normal? no")
    assert (folded.clauses, folded.asked) == ((0, 0, 1, 1, 1, 2), frozenset({1}))


@pytest.mark.parametrize(
    ("one", "other"), [("nahi", "nhi"), ("saans", "sans"), ("goliyaan", "goliyan"), ("phool", "ful"), ("vo", "wo")]
)
def test_roman_hindi_is_spelt_by_ear(one: str, other: str) -> None:
    assert romanise(one) == romanise(other)


@given(st.text(max_size=200))
def test_folding_is_stable(text: str) -> None:
    folded = fold(text)
    assert len(folded.words) == len(folded.clauses)
    assert len(romanise(folded.line).split()) == len(folded.words)
    assert all(word and " " not in word for word in folded.words)
