"""Faults planted in a corpus of signals like speech: the doctor finds them and no others."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.factory import GRID, PROVENANCE, alignment_record, run, write_alignment
from ttskit.artifacts.kinds import Alignment, Corpus, Features
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.cli import app
from ttskit.dsp import flatstart, mel, speechlike
from ttskit.dsp.mel import MelSettings
from ttskit.errors import TtskitError
from ttskit.metrics import oddities
from ttskit.metrics.cures import CURES
from ttskit.stages import doctor
from ttskit.text.spelling import Speller
from ttskit.text.symbols import symbols

RATE = 16000
SPOKEN = {**GRID, "sample_rate": RATE}
WORDS = ["open window", "yellow moon rain", "seven rivers", "quiet garden stone", "always water"]


def signal(number, text):
    rng = np.random.default_rng(number)
    audio, _ = speechlike.synthesise(speechlike.sounds(text, rng), rng, RATE)
    return np.round(audio * 32767)


def write(path, faults):
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}) as writer:
        for number in range(30):
            id, text = f"u{number:02}", WORDS[number % len(WORDS)]
            audio = signal(number, text)
            text, audio = faults.get(id, lambda text, audio: (text, audio))(text, audio)
            audio = np.clip(audio, -32768, 32767).astype(np.int16)
            writer.append(Corpus(id=id, speaker="", text=text, audio=audio))
        writer.seal([f"u{number:02}" for number in range(30)])
    return path


def test_files_are_written_also_for_who_reads_the_first_lines_alone(tmp_path, monkeypatch):
    """As `doctor ... | head` does, which closes the pipe."""
    path = write(tmp_path / "x.h5", {"u03": lambda text, audio: (text, audio * 8)})

    def closed(*_):
        raise BrokenPipeError

    monkeypatch.setattr("typer.echo", closed)
    with pytest.raises(BrokenPipeError):
        run("doctor", path, "--write", tmp_path / "fit.txt", "--page", tmp_path / "odd.html")
    assert "u03" not in (tmp_path / "fit.txt").read_text().split()
    assert "u03" in (tmp_path / "odd.html").read_text()


def test_planted_faults_are_listed_and_nothing_else(tmp_path):
    faults = {
        "u03": lambda text, audio: (text, audio * 8),
        "u07": lambda text, audio: (text, np.concatenate([audio, np.zeros(2 * RATE)])),
        "u11": lambda text, audio: (f"{text} and a great deal more than was ever said", audio),
        "u17": lambda text, audio: (text, audio * 0.01),
    }
    path = write(tmp_path / "x.h5", faults)
    result = CliRunner().invoke(app, ["doctor", str(path)])
    assert result.exit_code == 0
    found = {tuple(line.split("\t")[:2]) for line in result.stdout.splitlines()}
    assert found == {
        ("u03", "clipping"),
        ("u03", "level"),
        ("u07", "silence"),
        ("u11", "speech rate"),
        ("u17", "level"),
    }
    assert "more text than audio?" in result.stdout


def test_a_corpus_that_is_there_twice_is_refused(tmp_path):
    path = write(tmp_path / "x.h5", {})
    result = CliRunner().invoke(app, ["doctor", str(path), str(path)])
    assert "is there twice, in" in str(result.exception)


def test_a_healthy_corpus_has_no_findings(tmp_path):
    path = write(tmp_path / "x.h5", {})
    assert CliRunner().invoke(app, ["doctor", str(path)]).stdout == ""


LETTERS = [*"aeioulmnrsftk"]
TABLE = ["<pad>", "<begin>", "<end>", *LETTERS]
SWAPPED = {3: 11, 11: 17, 17: 22, 22: 28, 28: 3}  # whose text -> whose place


def spoken_word(number, word):
    """The mel of a word as it is spoken, and the tokens of it."""
    rng = np.random.default_rng(number)
    audio, _ = speechlike.synthesise(speechlike.sounds(word, rng), rng, 22050)
    return mel.mel(audio, MelSettings()), np.array([1, *map(TABLE.index, word), 2])


@pytest.fixture(scope="module")
def misread(tmp_path_factory):
    """The alignment of forty words, five of which are not the ones that are spoken."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(LETTERS, 12)) for _ in range(40)]
    bands, tokens = zip(
        *(spoken_word(number, word) for number, word in enumerate(words)), strict=True
    )
    texts = [SWAPPED.get(number, number) for number in range(40)]
    silent = np.isin(TABLE, TABLE[:3])
    spoken = [(f"u{number}", bands[number], tokens[text]) for number, text in enumerate(texts)]
    *_, (model, _) = flatstart.fit(spoken, silent, 8)
    path = tmp_path_factory.mktemp("misread") / "x.h5"
    header: dict[str, Any] = {"sample_rate": 22050, "hop_length": 256}
    tables = {"symbols": TABLE}
    with Writer(path, Alignment, provenance=PROVENANCE, attributes=header, tables=tables) as writer:
        for (id, heard, symbols), text in zip(spoken, texts, strict=True):
            durations, scores = flatstart.align(model, heard, symbols, silent, id)
            record = Alignment(
                id=id,
                speaker="",
                text=words[text],
                language="characters",
                tokens=symbols,
                token_word=np.where(silent[symbols], -1, 0),
                words=np.array([words[text]], dtype=object),
                spans=np.array([[0, len(words[text])]]),
                durations=durations,
                token_score=scores,
                score=scores @ durations / durations.sum(),
            )
            writer.append(record)
        writer.seal([id for id, _, _ in spoken])
    return path


def found(*words):
    return [line.split("\t") for line in run("doctor", *words).stdout.splitlines()]


def test_texts_that_are_not_spoken_rank_on_top(misread):
    listed = [id for id, what, _ in found(misread, "--threshold", 1) if what == "alignment"]
    assert set(listed[:5]) == {f"u{number}" for number in SWAPPED}
    assert len(listed) > 5
    sure = [id for id, what, _ in found(misread) if what == "alignment"]
    assert sure == listed[: len(sure)]
    assert 3 <= len(sure) <= 5


def test_edited_utterances_are_not_judged(misread, tmp_path):
    records = dict(Reader(misread, Alignment))
    records["u3"] = dataclasses.replace(records["u3"], score=np.array(np.nan))
    header: dict[str, Any] = {
        "attributes": Reader(misread, Alignment).attributes,
        "tables": {"symbols": TABLE},
    }
    with Writer(tmp_path / "x.h5", Alignment, provenance=PROVENANCE, **header) as writer:
        for record in records.values():
            writer.append(record)
        writer.seal(list(records))
    listed = [line[0] for line in found(tmp_path / "x.h5", "--threshold", 1) if "score" in line[2]]
    assert "u3" not in listed
    assert set(listed[:4]) == {f"u{number}" for number in set(SWAPPED) - {3}}


def test_a_phoneme_that_lasts_too_long_is_named(tmp_path):
    records = [alignment_record(f"u{number}") for number in range(12)]
    durations = records[7].durations.copy()
    durations[2] = 60
    records[7] = dataclasses.replace(records[7], durations=durations)
    path = write_alignment(tmp_path / "x.h5", *records)
    lines = [line for line in found(path) if line[1] == "duration"]
    assert [(id, detail.split(" lasts")[0]) for id, _, detail in lines] == [
        ("u7", "ə of 'hello' at 0.24 s")
    ]
    assert "lasts 0.96 s, others 0.05 s" in lines[0][2]


def test_phonemes_with_little_data_are_the_corpus_s_own_findings(tmp_path):
    records = [alignment_record(f"u{number}") for number in range(4)]
    path = write_alignment(tmp_path / "x.h5", *records)
    lines = [line for line in found(path, "--min-tokens", 8) if line[0] == "-"]
    assert lines == [
        ["-", "little data", "h: 4 of 8 tokens"],
        ["-", "little data", "ə: 4 of 8 tokens"],
    ]
    assert not [line for line in found(path, "--min-tokens", 0) if line[0] == "-"]


def test_any_of_the_inputs_will_do(tmp_path, corpus):
    path = write_alignment(tmp_path / "a.h5", alignment_record())
    both = {tuple(line) for line in found(corpus, path)}
    assert both == {tuple(line) for one in (corpus, path) for line in found(one)}


def test_an_alignment_of_another_language_than_its_texts_is_found(tmp_path):
    for text, odd in (
        ("De man zei dat het niet om hem ging, maar om zijn huis.", True),
        ("The man said that it was not about him, but about his house.", False),
    ):
        spelling = Speller("en-us").spell(text)
        table = symbols("en-us")
        tokens = np.array([table.index(token) for token in spelling.tokens])
        record = Alignment(
            id="a",
            speaker="",
            text=text,
            language="en-us",
            tokens=tokens,
            token_word=np.array(spelling.token_word),
            words=np.array(spelling.words, dtype=object),
            spans=np.array(spelling.spans),
            durations=np.full(len(tokens), 4),
            token_score=np.full(len(tokens), -40.0),
            score=np.array(-40.0),
        )
        path = write_alignment(tmp_path / "x.h5", record, symbols=table)
        found = run("doctor", path, "--min-tokens", 0).stdout
        assert ("look like Dutch: spell them with --language nl" in found) == odd


def speaker_features(path, f0s, tilts):
    """Features of one utterance for each f0 and tilt of the spectrum."""
    rng = np.random.default_rng(0)
    with Writer(path, Features, provenance=PROVENANCE, attributes=GRID) as writer:
        for number, (f0, tilt) in enumerate(zip(f0s, tilts, strict=True)):
            bands = np.linspace(0, tilt, 80) + rng.normal(0, 0.3, (60, 80))
            same = {name: np.full(60, 1.0) for name in ("periodicity", "energy")}
            own = {"mel": bands, "f0": np.full(60, f0), "voiced": np.ones(60, bool)}
            record = Features(
                id=f"u{number:02}", speaker="", text="a", loudness=np.zeros(60), **own, **same
            )
            writer.append(record)
        writer.seal([f"u{number:02}" for number in range(len(f0s))])
    return path


def test_another_speaker_differs_in_pitch_and_timbre(tmp_path):
    f0s, tilts = [*np.linspace(195, 205, 20)], [*np.linspace(-4.1, -3.9, 20)]
    f0s[4] = 260.0  # lively, but the same voice
    tilts[9] = -2.0  # another distance from the microphone
    f0s[13], tilts[13] = 110.0, -1.0
    path = speaker_features(tmp_path / "f.h5", f0s, tilts)
    assert [line[:2] for line in found(path)] == [["u13", "other speaker"]]


def test_silence_within_a_word_is_found(tmp_path):
    records = [alignment_record(f"u{number}") for number in range(3)]
    path = write_alignment(tmp_path / "a.h5", *records)
    frames = int(records[0].durations.sum())
    with Writer(tmp_path / "f.h5", Features, provenance=PROVENANCE, attributes=SPOKEN) as writer:
        for record in records:
            loudness = np.full(frames, -20.0)
            if record.id == "u1":
                loudness[34:54] = -80  # between the first two words
            if record.id == "u2":
                loudness[55:68] = -80  # in the second one
                loudness[50:52] = -80
            columns: dict[str, Any] = {
                "mel": np.zeros((frames, 80)),
                "voiced": np.zeros(frames, bool),
            }
            others: dict[str, Any] = dict.fromkeys(
                ("f0", "periodicity", "energy"), np.zeros(frames)
            )
            facts: dict[str, Any] = {
                "id": record.id,
                "speaker": "",
                "text": record.text,
                "loudness": loudness,
            }
            writer.append(Features(**facts, **columns, **others))
        writer.seal([record.id for record in records])
    lines = [line for line in found(path, tmp_path / "f.h5") if line[1] == "pause in word"]
    assert lines == [["u2", "pause in word", "0.21 s of silence in 'oh' at 0.88 s"]]


def test_each_kind_of_finding_has_its_cure(tmp_path):
    path = write(tmp_path / "x.h5", {"u03": lambda text, audio: (text, audio * 8)})
    notes = run("doctor", path).stderr
    assert "clipping (1): what is cut off is lost: record again" in notes
    assert "level (1): `ttskit corpus --peak -3`" in notes
    source = Path(oddities.__file__).read_text() + Path(doctor.__file__).read_text()
    named = set(re.findall(r'Finding\([^,]+, "([a-z ]+)"', source)) | {"level", "speech rate"}
    assert named == CURES.keys()


def test_what_is_fit_to_train_on_is_written_for_select(tmp_path):
    faults = {
        "u03": lambda text, audio: (text, audio * 8),
        "u11": lambda text, audio: (f"{text} and a great deal more than was ever said", audio),
        "u17": lambda text, audio: (text, audio * 0.01),  # quiet, but fit
    }
    path = write(tmp_path / "x.h5", faults)
    ids = tmp_path / "select.txt"
    assert "28 of 30 utterances are fit to train on" in run("doctor", path, "--write", ids).stderr
    run("select", path, "--ids", ids, "-o", tmp_path / "good.h5")
    good = Reader(tmp_path / "good.h5", Corpus).ids
    assert good == [id for id in Reader(path, Corpus).ids if id not in ("u03", "u11")]
    run("select", path, "--ids", ids, "--others", "-o", tmp_path / "bad.h5")
    assert Reader(tmp_path / "bad.h5", Corpus).ids == ["u03", "u11"]
    ids.write_text("\n")
    with pytest.raises(TtskitError, match="names no utterance"):
        run("select", path, "--ids", ids, "-o", tmp_path / "none.h5")


def test_a_long_recording_in_one_piece_is_better_cut(tmp_path):
    long = {"u05": lambda text, audio: (text * 40, np.tile(audio, 40)[: 31 * RATE])}
    path = write(tmp_path / "x.h5", long)
    found = run("doctor", path)
    assert "u05\tlength\t31 s in one utterance" in found.stdout
    assert "length (1): cut it into sentences: keep subtitles" in found.stderr
