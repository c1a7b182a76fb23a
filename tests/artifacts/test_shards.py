"""Shards of a run: what each holds, and what they are together."""

import re

import pytest

from tests.factory import corpus_record, run, sha, write_corpus
from ttskit.artifacts.build import Recipe, Running, build
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.shards import Shard
from ttskit.errors import LeftOut, TtskitError, UsageError

# attributes and options in another order than that of their names
GRID = {"sample_rate": 16000}
RECIPE = Recipe(
    "test", 1, Corpus, {"y": 1, "x": [2]}, ["digest"], GRID, skipped={"gone": "was silent"}
)
ITEMS = {f"u{number:03}": number for number in range(11)}


def some_fail(number):
    if number == 5:
        raise LeftOut("not asked for")
    if number % 4 == 3:
        raise TtskitError(f"{number} is bad")
    return corpus_record(number)


def made(path, shard=None, recipe=RECIPE, make=some_fail, items=ITEMS):
    running = Running(skip_bad=True, shard=Shard.read(shard) if shard else None)
    return build(path, recipe, items, make, running, bad={"never": "cannot be read"})


def shards(folder, of, **settings):
    names = [f"{number}/{of}" for number in range(1, of + 1)]
    return [made(folder / f"{name.replace('/', '-')}.h5", name, **settings) for name in names]


@pytest.mark.parametrize("of", [1, 2, 3, 11, 14])
def test_every_item_is_in_one_shard_and_their_order_stays(of):
    cuts = [Shard(number, of).cut(ITEMS) for number in range(1, of + 1)]
    assert [id for cut in cuts for id in cut] == [*ITEMS]
    sizes = [len(cut) for cut in cuts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("of", [1, 3, 11])
def test_merged_shards_are_the_run_that_was_not_cut_byte_for_byte(tmp_path, of):
    whole = made(tmp_path / "whole.h5")
    parts = shards(tmp_path, of)  # of 11, some hold no utterance at all
    run("merge", *reversed(parts), "-o", tmp_path / "merged.h5")
    assert sha(tmp_path / "merged.h5") == sha(whole)
    assert list(Reader(whole, Corpus).skipped) == ["gone", "never", "u003", "u005", "u007"]


def test_the_run_that_was_not_cut_finds_merged_shards_up_to_date(tmp_path, capsys):
    run("merge", *shards(tmp_path, 2), "-o", tmp_path / "merged.h5")
    made(tmp_path / "merged.h5")
    assert capsys.readouterr().err.endswith("merged.h5: up to date\n")


def test_a_shard_is_not_the_whole_nor_another_shard(tmp_path, capsys):
    path = made(tmp_path / "x.h5", "1/2")
    made(path, "1/2")
    assert "up to date" in capsys.readouterr().err
    for other, count in (("2/2", 4), ("1/3", 3), (None, 8)):
        made(path, other)
        assert f"x.h5: {count} utterances" in capsys.readouterr().err


def refused(*paths):
    with pytest.raises(TtskitError) as error:
        run("merge", *paths, "-o", paths[0].parent / "merged.h5")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_shards_that_do_not_make_a_whole_are_named_in_one_line(tmp_path):
    first, second, third, fourth = shards(tmp_path, 4)
    assert refused(first, third, fourth) == f"{first}: shard 2 of 4 lacking among the inputs"
    assert "shards 1, 3 of 4 lacking" in refused(second, fourth)
    assert "shards 2, 3, 4 of 4 lacking" in refused(first)
    copy = tmp_path / "copy.h5"
    copy.write_bytes(second.read_bytes())
    assert f"{copy}: is shard 2/4, as {second} is" in refused(first, second, copy)
    other = write_corpus(tmp_path / "corpus.h5", [20])
    assert refused(first, other).startswith(f"{first}: is shard 1/4, {other} is none")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"options": {"y": 1, "x": [3]}}, "its option x [3], that of"),
        ({"options": {"y": 1}}, "its option x null, that of"),
        ({"inputs": ["other"]}, 'its inputs ["other"], that of'),
        ({"stage": "else"}, 'its stage "else", that of'),
        ({"revision": 2}, "its revision 2, that of"),
    ],
)
def test_shards_of_different_runs_are_refused_with_what_differs(tmp_path, change, says):
    one = made(tmp_path / "1.h5", "1/2")
    two = made(tmp_path / "2.h5", "2/2", Recipe(**{**vars(RECIPE), **change}))
    assert f"{two}: is a shard of another run: {says}" in refused(one, two)
    three = made(tmp_path / "3.h5", "2/3")
    assert "its number of shards 3, that of" in refused(one, three)


@pytest.mark.parametrize("text", ["3/2", "0/2", "2", "1/0", "a/2", "-1/2", "1/2/3"])
def test_what_names_no_shard_is_a_usage_error(text):
    with pytest.raises(UsageError, match=re.escape(f"--shard {text}: needs I/N")):
        Shard.read(text)
