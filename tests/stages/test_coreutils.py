"""The verbs that work on artifacts of any kind, through the command line."""

import json
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.factory import PROVENANCE, corpus_record, run, sha, write_corpus
from ttskit.artifacts.kinds import Corpus, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError, UsageError
from ttskit.stages import split


def ids(path):
    return list(Reader(path, Corpus))


def test_info_counts(tmp_path):
    path = write_corpus(tmp_path / "x.h5", range(4), skipped={"gone": "was silent"})
    found = json.loads(run("info", path, "--json").stdout)
    samples = sum(50 + 37 * number for number in range(4))
    assert (found["kind"], found["utterances"], found["speakers"]) == ("corpus", 4, 2)
    assert found["axes"] == {"sample": samples}
    assert found["hours"] == pytest.approx(samples / 16000 / 3600, abs=1e-6)
    assert found["skipped"] == {"gone": "was silent"}
    assert found["attributes"] == {"sample_rate": 16000}
    assert run("info", path, "--field", "attributes.sample_rate").stdout == "16000\n"
    assert "gone: was silent" in run("info", path).stdout
    with pytest.raises(TtskitError, match="no field 'utterance'; there is path, kind"):
        run("info", path, "--field", "utterance")


def test_ls_and_cat_write_one_line_an_utterance(corpus):
    assert run("ls", corpus).stdout.splitlines() == [f"u{number:03}" for number in range(12)]
    line = run("cat", corpus, "-f", "id,text,samples,seconds", "--id", "u003").stdout
    assert line == "u003\ttext\\tof 3\t161\t0.010\n"
    values = json.loads(run("cat", corpus, "-f", "audio", "--id", "u002").stdout)
    np.testing.assert_array_equal(values, corpus_record(2).audio)
    with pytest.raises(TtskitError, match="no field 'pitch'; there is id, speaker, text, audio"):
        run("cat", corpus, "-f", "pitch")


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["--head", 3], [0, 1, 2]),
        (["--speaker", "bö"], [0, 3, 6, 9]),
        (["--glob", "u01*"], [10, 11]),
        (["--glob", "u00*", "--others"], [10, 11]),
        (["--match", "of [57]$"], [5, 7]),
        (["--id", "u004", "--id", "u002"], [2, 4]),
        (["--min-seconds", 0.02, "--max-seconds", 0.024], [8, 9]),
        (["--speaker", "bö", "--head", 2], [0, 3]),
    ],
)
def test_select_takes_utterances_that_pass_every_filter(tmp_path, corpus, words, numbers):
    output = tmp_path / "x.h5"
    run("select", corpus, "-o", output, *words)
    assert ids(output) == [f"u{number:03}" for number in numbers]
    whole, part = Reader(corpus, Corpus), Reader(output, Corpus)
    for id in part:
        np.testing.assert_array_equal(part[id].audio, whole[id].audio)


def test_a_random_selection_follows_from_its_seed(tmp_path, corpus):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("select", corpus, "--random", 5, "--seed", seed, "-o", tmp_path / name)
    assert ids(tmp_path / "a") == ids(tmp_path / "b") != ids(tmp_path / "c")
    assert len(set(ids(tmp_path / "a"))) == 5


def test_parts_of_a_split_merge_into_the_original(tmp_path, corpus):
    run("split", corpus, "--parts", 3, "--seed", 4, "-o", tmp_path / "part{}.h5")
    parts = [tmp_path / f"part{number}.h5" for number in (1, 2, 3)]
    assert sorted(id for part in parts for id in ids(part)) == ids(corpus)
    run("merge", *parts, "-o", tmp_path / "merged.h5")
    run("select", tmp_path / "merged.h5", "--head", 12, "-o", tmp_path / "again.h5")
    found = run("diff", corpus, tmp_path / "again.h5")
    assert found.stdout in ("", "the utterances that both have are in another order\n")


def test_split_distributes_every_speaker_evenly():
    speakers = ["a"] * 300 + ["b"] * 100 + ["c"] * 10
    parts = split.parts(speakers, [8, 1, 1], seed=0)
    assert sorted(np.concatenate(parts)) == list(range(410))
    assert [len(part) for part in parts] == [328, 41, 41]
    for name, count in (("a", 300), ("b", 100)):
        shares = [sum(speakers[row] == name for row in part) / count for part in parts]
        assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_merge_refuses_artifacts_that_differ(tmp_path, corpus):
    other = write_corpus(tmp_path / "rate.h5", [20], sample_rate=8000)
    with pytest.raises(TtskitError, match=r"rate.h5: has sample_rate 8000, .* has 16000"):
        run("merge", corpus, other, "-o", tmp_path / "x.h5")
    twin = write_corpus(tmp_path / "twin.h5", [3])
    with pytest.raises(TtskitError, match=r"twin.h5: u003 is in .*corpus.h5 too"):
        run("merge", corpus, twin, "-o", tmp_path / "x.h5")


def test_tokens_of_two_languages_share_one_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text, language in (("en", "Good morning.", "en-us"), ("nl", "Goede morgen.", "nl")):
        Path(f"{name}.tsv").write_text(f"{name}\t{text}\n", encoding="utf-8")
        run("tokens", f"{name}.tsv", "--language", language, "-o", f"{name}.h5")
    run("merge", "en.h5", "nl.h5", "-o", "both.h5")
    both = Reader(tmp_path / "both.h5", Tokens)
    table = both.table("symbols")
    assert len(set(table)) == len(table)
    for name in ("en", "nl"):
        own = Reader(tmp_path / f"{name}.h5", Tokens)
        expected = [own.table("symbols")[token] for token in own[name].tokens]
        assert [table[token] for token in both[name].tokens] == expected
        assert both[name].language == own[name].language


def test_diff_lists_differences(tmp_path, corpus):
    assert run("diff", corpus, corpus).exit_code == 0
    other = write_corpus(tmp_path / "x.h5", range(1, 14), sample_rate=8000)
    found = run("diff", corpus, other)
    assert found.exit_code == 1
    assert "sample_rate: 16000 and 8000" in found.stdout
    assert "1 utterance: u000" in found.stdout
    assert "2 utterances: u012, u013" in found.stdout


def test_diff_tells_errors_from_differences(tmp_path, corpus, ttskit):
    (tmp_path / "bad.h5").write_bytes(corpus.read_bytes()[:3000])
    for words in ((corpus, "none.h5"), (corpus, "bad.h5"), (corpus,), (corpus, corpus, corpus)):
        assert ttskit("diff", *words).returncode == 2


def test_verify_passes_an_intact_file(corpus):
    assert run("verify", corpus).stdout == f"{corpus}: whole\n"


def test_a_quick_verify_reads_no_values(corpus, tmp_path):
    assert run("verify", "--quick", corpus).stdout == f"{corpus}: in order, its values unread\n"
    blob = bytearray(corpus.read_bytes())
    blob[Reader(corpus, Corpus).container.columns["audio"].place] ^= 1
    (tmp_path / "flipped.h5").write_bytes(blob)
    assert run("verify", "--quick", tmp_path / "flipped.h5").exit_code == 0
    assert run("verify", tmp_path / "flipped.h5").exit_code == 1
    (tmp_path / "longer.h5").write_bytes(bytes(blob) + b"more")
    assert run("verify", "--quick", tmp_path / "longer.h5").exit_code == 1


def test_verify_reports_appended_bytes(corpus, ttskit):
    with corpus.open("ab") as file:
        file.write(b"more")
    found = ttskit("verify", corpus)
    assert found.returncode == 1
    assert b"is longer than what was written: 4 bytes follow its end" in found.stderr


def test_stages_chain_in_a_pipe(corpus):
    python = f"{sys.executable} -m ttskit"
    pipe = f"{python} select --head 2 - < {corpus} | {python} info --field utterances"
    assert subprocess.check_output(pipe, shell=True, text=True) == "2\n"
    head = f"{python} cat -f audio {corpus} | head -c 10"
    found = subprocess.run(head, shell=True, capture_output=True, check=False)
    assert (len(found.stdout), found.stderr) == (10, b"")


def test_an_artifact_is_not_for_a_terminal(corpus):
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "ttskit", "select", str(corpus), "--head", "1"]
    found = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert found.returncode == 2
    assert found.stderr.startswith(b"ttskit: an artifact is not for a terminal")


def test_standard_output_gets_the_same_bytes_as_a_file(tmp_path, corpus, ttskit):
    ttskit("select", corpus, "--head", 3, "-o", "file.h5")
    piped = ttskit("select", corpus, "--head", 3)
    (tmp_path / "piped.h5").write_bytes(piped.stdout)
    assert sha(tmp_path / "piped.h5") == sha(tmp_path / "file.h5")


@pytest.mark.parametrize(
    ("words", "stdin", "says", "status"),
    [
        (["info"], b"", "standard input: is empty; needs an artifact", 1),
        (["info"], b"hello", "standard input: is not an HDF5 file; needs an artifact", 1),
        (["info", "-", "-"], b"", "standard input can be read only once", 2),
        (["select", "corpus.h5", "--match", "("], None, "is not a regex", 2),
        (["select", "corpus.h5", "--id", "nobody"], None, "corpus.h5: has no utterance nobody", 1),
        (["select", "corpus.h5", "--random", "99"], None, "has 12 to choose from, not 99", 1),
        (
            ["select", "corpus.h5", "--glob", "z*", "-o", "x.h5"],
            None,
            "no utterance passes the filters",
            1,
        ),
        (["select", "corpus.h5", "-o", "no/x.h5"], None, "the folder no is not there", 1),
        (["select", "corpus.h5", "-o", "."], None, ".: is a folder", 1),
        (["split", "corpus.h5", "--ratio", "1:x"], None, "needs two or more positive numbers", 2),
        (["split", "corpus.h5", "-o", "x.h5"], None, "needs one {}", 2),
        (["split", "corpus.h5", "-n", "40"], None, "has 12 utterances: part 1 would be empty", 1),
        (["split", "corpus.h5", "--ratio", "nan:1"], None, "needs two or more positive numbers", 2),
        (["split", "-"], b"", "standard input: is empty", 1),
        (["merge", "corpus.h5"], None, "merge takes two artifacts or more", 2),
        (["diff", "corpus.h5"], None, "diff takes two artifacts, not 1", 2),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_errors_of_the_user_take_one_line(ttskit, words, stdin, says, status):
    found = ttskit(*words, stdin=stdin)
    errors = found.stderr.decode()
    assert (found.returncode, found.stdout) == (status, b"")
    assert errors.startswith("ttskit: ")
    assert errors.count("\n") == 1
    assert says in errors


def test_an_output_is_replaced_only_by_its_own_kind(tmp_path, corpus, ttskit):
    (tmp_path / "notes.txt").write_text("precious")
    os.mkfifo(tmp_path / "pipe")
    for name, says in (("notes.txt", "is not an artifact"), ("pipe", "is a pipe or a device")):
        found = ttskit("select", corpus, "--head", 1, "-o", name)
        assert (found.returncode, found.stderr.count(b"\n")) == (1, 1)
        assert says in found.stderr.decode()
    assert (tmp_path / "notes.txt").read_text() == "precious"
    found = ttskit("tokens", corpus, "-o", corpus)
    assert found.returncode == 1
    assert b"exists and is corpus, not tokens" in found.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("select", "corpus.h5", "--head", 2, "-o", "corpus.h5"),
        ("select", "corpus.h5", "--head", 2, "-o", "soft.h5"),
        ("select", "corpus.h5", "--head", 2, "-o", "hard.h5", "--dry-run"),
        ("select", "soft.h5", "--head", 2, "-o", "corpus.h5", "--restart"),
        ("merge", "other.h5", "corpus.h5", "-o", "corpus.h5"),
        ("split", "corpus.h5", "-o", "cor{}.h5"),
    ],
)
def test_an_input_is_never_written_over(tmp_path, corpus, ttskit, words):
    write_corpus(tmp_path / "other.h5", [20])
    (tmp_path / "soft.h5").symlink_to(corpus)
    (tmp_path / "hard.h5").hardlink_to(corpus)
    (tmp_path / "cor2.h5").symlink_to(corpus)
    before, there = sha(corpus), sorted(tmp_path.iterdir())
    found = ttskit(*words)
    assert (found.returncode, found.stderr.count(b"\n")) == (1, 1)
    assert b"is an input, or a copy of one" in found.stderr
    assert (sha(corpus), sorted(tmp_path.iterdir())) == (before, there)


def test_a_selection_of_everything_is_up_to_date_like_any_other(corpus, ttskit):
    for _ in range(2):
        found = ttskit("select", corpus, "--head", 99, "-o", "all.h5")
        assert found.returncode == 0
    assert found.stderr.endswith(b"all.h5: up to date\n")
    assert ttskit("select", corpus, "--head", 1, "-o", "all.h5").returncode == 0


def test_split_names_the_parts_of_an_older_one(corpus, ttskit):
    ttskit("split", corpus, "--parts", 4, "-o", "part{}.h5")
    found = ttskit("split", corpus, "--parts", 2, "-o", "part{}.h5")
    assert found.returncode == 0
    older = [
        line for line in found.stderr.decode().splitlines() if "not a part of this split" in line
    ]
    assert [line.split(":")[0] for line in older] == ["part3.h5", "part4.h5"]


def test_an_output_may_be_a_link(tmp_path, corpus, ttskit):
    (tmp_path / "target.h5").write_bytes(b"")
    (tmp_path / "link.h5").symlink_to(tmp_path / "target.h5")
    assert ttskit("select", corpus, "--head", 1, "-o", "link.h5").returncode == 0
    assert (tmp_path / "link.h5").is_symlink()
    assert ids(tmp_path / "target.h5") == ["u000"]


def test_merge_does_not_skip_what_it_has(tmp_path):
    one = write_corpus(tmp_path / "one.h5", [1], skipped={"u002": "was silent", "gone": "lost"})
    two = write_corpus(tmp_path / "two.h5", [2])
    run("merge", one, two, "-o", tmp_path / "x.h5")
    assert Reader(tmp_path / "x.h5", Corpus).skipped == {"gone": "lost"}
    assert "skipped: 2 and 0 utterances" in run("diff", one, two).stdout


def test_verify_continues_after_a_broken_file(tmp_path, corpus, ttskit):
    (tmp_path / "bad.h5").write_bytes(corpus.read_bytes()[:3000])
    found = ttskit("-q", "verify", "bad.h5", corpus)
    assert found.returncode == 1
    assert found.stdout.decode() == f"{corpus}: whole\n"
    assert found.stderr.decode() == "ttskit: bad.h5: is cut short at 3000 bytes: make it again\n"


def test_info_continues_after_a_broken_file(tmp_path, corpus, ttskit):
    (tmp_path / "bad.h5").write_bytes(corpus.read_bytes()[:3000])
    found = ttskit("info", "bad.h5", corpus, "none.h5", "--field", "kind")
    assert (found.returncode, found.stdout) == (1, b"corpus\n")
    lines = found.stderr.decode().splitlines()
    assert [line.split(":")[1] for line in lines] == [" bad.h5", " none.h5"]


def test_the_traceback_of_an_error_is_shown_on_request(ttskit):
    plain, verbose = ttskit("info", "nowhere.h5"), ttskit("-v", "info", "nowhere.h5")
    assert plain.stderr == b"ttskit: nowhere.h5: no such file\n"
    assert verbose.stderr.startswith(plain.stderr + b"Traceback")
    assert b"in open_container" in verbose.stderr
    assert plain.returncode == verbose.returncode == 1


def test_split_of_standard_input_needs_names(corpus, ttskit, tmp_path):
    found = ttskit("split", stdin=corpus.read_bytes())
    assert found.returncode == 2
    assert b"needs -o" in found.stderr
    named = ttskit("split", "-o", "part{x}{}.h5", stdin=corpus.read_bytes())
    assert named.returncode == 0
    assert len(ids(tmp_path / "part{x}1.h5")) == 6


@pytest.mark.parametrize("redirect", ["<&-", ">&-"])
@pytest.mark.parametrize("verb", ["select --head 1", "text"])
def test_closed_streams_take_one_line(corpus, verb, redirect):
    feed = f"< {corpus}" if redirect == ">&-" else ""
    call = f"{sys.executable} -m ttskit {verb} {feed} {redirect}"
    found = subprocess.run(call, shell=True, capture_output=True, check=False)
    assert (found.returncode, found.stderr.count(b"\n")) == (2, 1), found.stderr
    assert b"closed" in found.stderr


def test_a_long_list_has_four_columns_whatever_lasts(tmp_path, corpus):
    run("tokens", corpus, "--language", "characters", "-o", tmp_path / "t.h5")
    for path, timed in ((corpus, True), (tmp_path / "t.h5", False)):
        rows = [line.split("\t") for line in run("ls", "-l", path).stdout.splitlines()]
        assert {len(row) for row in rows} == {4}
        assert all(bool(row[2]) == timed for row in rows)


def test_takes_of_a_text_are_drawn_together(tmp_path):
    texts = [f"text {number // 3}" for number in range(30)]
    with Writer(
        tmp_path / "c.h5", Corpus, provenance=PROVENANCE, attributes={"sample_rate": 16000}
    ) as writer:
        for number, text in enumerate([*texts, "", ""]):
            audio = np.ones(4, np.int16)
            writer.append(Corpus(id=f"u{number}", speaker="", text=text, audio=audio))
        writer.seal([f"u{number}" for number in range(32)])
    for seed in range(5):
        drawn = ("--random", 7, "--by-text", "--seed", seed, "-o", tmp_path / f"{seed}.h5")
        run("select", tmp_path / "c.h5", *drawn)
        chosen = Counter(Reader(tmp_path / f"{seed}.h5", Corpus).table("text"))
        assert 7 <= chosen.total() <= 9
        assert all(count == 3 for text, count in chosen.items() if text)
    with pytest.raises(UsageError, match="--by-text goes with --random"):
        run("select", tmp_path / "c.h5", "--by-text")


def test_files_in_a_folder_are_not_replaced_unasked(tmp_path, corpus):
    words = ("export", corpus, "-f", "wav", "-o", tmp_path / "out")
    run(*words)
    first = next((tmp_path / "out" / "wavs").iterdir())
    first.write_bytes(b"mine")
    with pytest.raises(TtskitError, match=r"metadata.csv: is there already: .* --overwrite"):
        run(*words)
    (tmp_path / "out" / "metadata.csv").unlink()
    with pytest.raises(TtskitError, match=r"wav: is there already"):
        run(*words)
    assert first.read_bytes() == b"mine"
    run(*words, "--overwrite")
    assert first.read_bytes() != b"mine"


def test_a_demo_goes_into_no_folder_of_recordings(tmp_path):
    (tmp_path / "metadata.csv").write_text("LJ001-0001|In being|In being\n")
    with pytest.raises(TtskitError, match=r"metadata.csv: is there already, and of other record"):
        run("demo", tmp_path)
    assert (tmp_path / "metadata.csv").read_text().startswith("LJ001")
    for count in (2, 3):
        run("demo", tmp_path / "demo", "--utterances", count)
    assert (tmp_path / "demo" / "metadata.csv").read_text().count("\n") == 3


def test_an_exported_corpus_is_read_back(tmp_path, corpus, ttskit):
    assert ttskit("export", corpus, "-f", "flac", "-o", "out").returncode == 0
    assert ttskit("corpus", "out", "--sample-rate", 16000, "-o", "back.h5").returncode == 0
    before, after = Reader(corpus, Corpus), Reader(tmp_path / "back.h5", Corpus)
    assert list(before) == list(after)
    for id in before:
        np.testing.assert_array_equal(before[id].audio, after[id].audio)
        assert before[id].speaker == after[id].speaker
    with pytest.raises(TtskitError, match="no export format 'mp3'; for corpus there is wav, flac"):
        run("export", corpus, "--format", "mp3")
