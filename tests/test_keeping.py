"""What is kept from one start to the next is used only when it is whole, ours, and of these very contents."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ivr.keeping import DIGEST, kept

KEY, OTHER = sha256(b"these words").digest(), sha256(b"other words").digest()


class Kitchen:
    """Makes the same thing whenever it is asked, and counts."""

    def __init__(self) -> None:
        self.made = 0

    def make(self) -> dict[str, int]:
        self.made += 1
        return {"baclofen": 1}


def test_a_thing_is_made_once_and_read_after_that(tmp_path: Path) -> None:
    kitchen, file = Kitchen(), tmp_path / "var" / "thing"
    assert [kept(file, KEY, kitchen.make) for _ in range(3)] == [{"baclofen": 1}] * 3
    assert kitchen.made == 1
    assert [path.name for path in file.parent.iterdir()] == ["thing"]


def flipped(at: int) -> Callable[[Path], object]:
    def flip(file: Path) -> object:
        content = bytearray(file.read_bytes())
        content[at] ^= 1
        return file.write_bytes(content)

    return flip


SPOILED: dict[str, Callable[[Path], object]] = {
    "made of other contents": flipped(0),
    "with a digest of something else": flipped(DIGEST),
    "with one wrong bit": flipped(2 * DIGEST + 3),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "empty": lambda file: file.write_bytes(b""),
    "no file at all": lambda file: (file.unlink(), file.mkdir()),
    "that others may write": lambda file: file.chmod(0o666),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_file_that_cannot_be_trusted_is_as_good_as_none(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    kitchen, file = Kitchen(), tmp_path / "thing"
    kept(file, KEY, kitchen.make)
    spoil(file)
    assert kept(file, KEY, kitchen.make) == {"baclofen": 1}
    assert kitchen.made == 2


def test_other_contents_take_the_place_of_the_old(tmp_path: Path) -> None:
    kitchen, file = Kitchen(), tmp_path / "thing"
    for key in (KEY, OTHER, OTHER, KEY):
        kept(file, key, kitchen.make)
    assert kitchen.made == 3


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    kitchen = Kitchen()
    for _ in range(2):
        assert kept(tmp_path / "file" / "thing", KEY, kitchen.make) == {"baclofen": 1}
    assert kitchen.made == 2
