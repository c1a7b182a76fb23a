"""Text to speech as a user has it, with voices that sound like nothing."""

import io
import json
import os
import select
import subprocess
import sys
import tracemalloc
import wave
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import ttskit as package
from tests.factory import run
from tests.tiny import facts, write_voice
from ttskit import progress
from ttskit.dsp import samples
from ttskit.dsp.samples import to_int16
from ttskit.dsp.threads import CHOSEN
from ttskit.errors import ArtifactError, TextError, TtskitError, UsageError
from ttskit.formats import textgrid
from ttskit.models.glow import Glow
from ttskit.speaking.chain import Chain, Piece
from ttskit.speaking.report import Report

RATE, HOP = 22050, 256
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
TEXT = "Hello there, world. It cost five dollars, and that is all there is to it."


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture
def say(voice):
    def say(*words, **settings):
        return run("say", *words, "--voice", voice, **settings)

    return say


@pytest.fixture
def spoken(say, tmp_path):
    """Say into a file; return its samples."""

    def spoken(*words, **settings):
        assert say(*words, "-o", tmp_path / "out.wav", **settings).exit_code == 0
        return soundfile.read(tmp_path / "out.wav", dtype="int16")[0]

    return spoken


@pytest.fixture
def used(monkeypatch):
    """The threads of torch for each line that is spoken, where torch has two by itself."""
    used, speak = [], Chain.speak

    def recorded(*words):
        used.append(torch.get_num_threads())
        return speak(*words)

    monkeypatch.setattr(Chain, "speak", recorded)
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield used
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("words", "setting", "threads"),
    [((), "", 1), ((), "2", 2), (("--threads", 3), "", 3), (("--threads", 3), "2", 3)],
)
def test_one_thread_speaks_unless_the_user_says_how_many(
    spoken, used, monkeypatch, words, setting, threads
):
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    spoken("Hello.", *words)
    assert set(used) == {threads}
    assert torch.get_num_threads() == 2


def test_from_python_one_thread_speaks_and_the_program_keeps_its_own(voice, used):
    package.say("Hello.", voice)
    package.say("Hello.", voice, threads=3)
    assert used == [1, 3]
    assert torch.get_num_threads() == 2


def test_a_file_and_a_stream_hold_the_same_sound(say, spoken, tmp_path):
    samples = spoken(TEXT)
    assert len(samples) % HOP == 0
    assert np.abs(samples).max() > 0
    stream = say(TEXT, "-o", "-").stdout_bytes
    assert stream[:4] + stream[8:12] == b"RIFFWAVE"
    assert stream[4:8] == stream[40:44] == b"\xff\xff\xff\xff"
    with wave.open(io.BytesIO(stream)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
    assert stream[44:] == samples.astype("<i2").tobytes()
    assert say(TEXT, "--raw").stdout_bytes == stream[44:]
    assert (soundfile.read(io.BytesIO(stream), dtype="int16")[0] == samples).all()
    for suffix in (".flac", ".ogg"):
        assert say(TEXT, "-o", tmp_path / f"a{suffix}").exit_code == 0
        assert soundfile.info(tmp_path / f"a{suffix}").frames == len(samples)


def test_the_same_seed_makes_the_same_bytes(say, tmp_path):
    made = {}
    for name, seed in (("a.ogg", 1), ("b.ogg", 1), ("c.ogg", 2)):
        say(TEXT, "--seed", seed, "-o", tmp_path / name)
        made[name] = (tmp_path / name).read_bytes()
    assert made["a.ogg"] == made["b.ogg"] != made["c.ogg"]


def test_chance_follows_from_seed_and_place_alone(spoken):
    alone, after = spoken("One word."), spoken("One word. Two words.")
    assert (after[: len(alone)] == alone).all()


def test_each_line_sounds_before_the_next_one_is_written(voice, tmp_path):
    words = [sys.executable, "-m", "ttskit", "say", "--raw", "--voice", str(voice)]
    program = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=tmp_path,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert program.stdin
    assert program.stdout
    sizes = []
    for line in (b"one two three\n", b"four\n"):
        program.stdin.write(line)
        ready, _, _ = select.select([program.stdout], [], [], 60)
        assert ready, line
        sizes.append(len(os.read(program.stdout.fileno(), 1 << 20)))
    program.stdin.close()
    with program.stdout:
        rest = program.stdout.read()
    assert program.wait(60) == 0
    assert min(sizes) > 2 * HOP
    assert (sum(sizes) + len(rest)) % (2 * HOP) == 0


def test_stops_quietly_when_the_reader_has_enough(voice):
    command = f"{sys.executable} -m ttskit say --voice {voice} -o - | head -c 100 | wc -c"
    found = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        input=b"hello there\n" * 50, capture_output=True, check=False,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert (found.stdout.strip(), found.stderr, found.returncode) == (b"100", b"", 0)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("one\n\ntwo\n", ""),
        ("one 🙂\n🙂\n", "standard input:2: has no word to speak: 🙂"),
        ("...!\nand so on\n", "standard input:1: has no word to speak: ...!"),
        ("3.14 and 2024-05-03, $5 №7\n", ""),
        ("Привет hello 你好 γειά\n", "not spoken"),
        ("well, it goes on and on " * 420 + "\n", ""),
        ("a" * 10000 + "\n", ""),
    ],
    ids=lambda text: text[:12],
)
def test_whatever_is_in_a_text_the_words_of_it_are_spoken(say, tmp_path, text, note, capfd):
    made = say("--manifest", tmp_path / "m.jsonl", "--raw", input=text.encode())
    assert made.exit_code == 0
    rows = [json.loads(row) for row in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert rows[-1]["stop"] * RATE * 2 <= len(made.stdout_bytes)
    assert note in made.stderr + capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", (), "there is no word to speak"),
        ("🙂 ...\n", (), "standard input:1: has no word to speak: 🙂 ..."),
        ("[[h q]]\n", (), r"standard input:1: \[\[h q\]\] at character 1: symbol 'q' is not"),
        ("h ə q", ("--phonemes",), "standard input:1: symbol 'q' is not in the symbol table"),
        ("<speak>a<b", ("--ssml",), r"standard input:1:\d+: not SSML"),
        ("a", ("--speaker", "bob"), "no speaker 'bob'"),
        ("a b c d e f", ("--duration", "0.05"), r"0\.05 s is too short for the text"),
        ("a", ("--duration", "86400"), "86400 s is too long for the text: at the slowest rate it"),
        ("a", ("--textgrid", "none.TextGrid"), "no such file"),
        ("a", ("--manifest", "no/m.jsonl"), "the folder no is not there"),
        ("a", ("--device", "abacus"), "--device abacus: there is no such device"),
        ("", ("a \udcff",), "the text: is not UTF-8"),
        (" <speak>a</speak>", (), "standard input:1: is SSML, .*: add --ssml"),
        ("", ('<?xml version="1.0"?><speak>a</speak>',), "the text: is SSML, .*: add --ssml"),
    ],
)
def test_what_cannot_be_said_is_one_line(say, tmp_path, text, options, says, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(progress, "complain", told.append)
    with pytest.raises(TtskitError, match=says) as caught:
        say(*options, "-o", tmp_path / "a.wav", input=text.encode())
    assert told == []  # `main` says the error itself
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*"))


def test_wrong_usage_is_told_before_anything_is_loaded(tmp_path):
    for words in (
        ["hi", "--file", "x", "-o", "a.wav"],
        ["hi", "--json"],
        ["hi", "-o", "a.wav", "--timing", "a.mp3"],
        ["hi", "-o", "a.wav", "--textgrid", "a", "--duration", "1"],
        ["hi", "-o", "a.wav", "--ssml", "--phonemes"],
        ["hi", "-o", "a.wav", "--rate", "0"],
        ["hi", "-o", "a.wav", "--rate", "1001%"],
        ["hi", "-o", "a.wav", "--rate", "nan"],
        ["hi", "-o", "a.wav", "--rate", "quick"],
        ["hi", "-o", "a.wav", "--length-scale", "0"],
        ["hi", "-o", "a.wav", "--manifest", "./a.wav"],
        ["hi", "-o", "a.wav", "--manifest", "b.srt", "--timing", "b.srt"],
        ["--file", "b.txt", "-o", "a.wav", "--manifest", "b.txt"],
        ["hi", "--voice", "v.h5", "-o", "a.wav", "--manifest", "v.h5"],
        ["hi", "-o", "a.wav", "--play"],
        ["hi", "--raw", "--play"],
        ["hi", "-o", "a.wav", "--duration", "inf"],
        ["hi", "-o", "a.wav", "--noise-scale", "inf"],
        ["hi", "-o", "a.wav", "--rounds", "1001"],
    ):
        assert run("say", *words).exit_code == 2
    for name, says in (("a.m4a", "give one of .wav"), ("no/a.wav", "is not there; make it first")):
        with pytest.raises(TtskitError, match=says):
            run("say", "hi", "-o", tmp_path / name)


def test_audio_never_goes_to_a_terminal(voice):
    import pty

    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "ttskit", "say", "hi", "--voice", str(voice)]
    for more in ([], ["-o", "-"]):
        found = subprocess.run(
            [*words, *more], stdout=follower, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False
        )
        assert found.returncode == 2
        assert b"not for a terminal" in found.stderr
    os.close(leader)
    os.close(follower)


def test_a_duration_is_kept_to_the_sample(spoken, tmp_path):
    assert len(spoken(TEXT, "--duration", "5.0", "--manifest", tmp_path / "m")) == 110250
    rows = [json.loads(row) for row in (tmp_path / "m").read_text().splitlines()]
    assert 4.5 < rows[-1]["stop"] < 5
    assert len(spoken(TEXT, "--duration", "2.345")) == round(2.345 * RATE)


def test_faster_is_shorter(spoken):
    usual, fast = spoken(TEXT), spoken(TEXT, "--rate", "2")
    assert len(fast) == pytest.approx(len(usual) / 2, rel=0.05)


def test_a_length_scale_divides_the_rate(spoken):
    slow = spoken(TEXT, "--rate", "0.5")
    assert np.array_equal(spoken(TEXT, "--length-scale", "2"), slow)
    assert np.array_equal(spoken(TEXT, "--length-scale", "4", "--rate", "2"), slow)


def test_louder_is_louder(spoken):
    usual, loud, quiet = (spoken(TEXT, "--energy", dB) for dB in (0, 40, -20))
    assert np.abs(quiet).max() == pytest.approx(np.abs(usual).max() / 10, abs=2)
    assert np.abs(loud).mean() > np.abs(usual).mean()


def test_pitch_moves_where_the_decoder_knows_it_and_is_refused_where_not(spoken, tmp_path):
    assert (spoken(TEXT) != spoken(TEXT, "--pitch", "5")).any()
    flat = write_voice(tmp_path, pitch=False)
    marked = [f"<speak><prosody {one}='high'>hi</prosody></speak>" for one in ("pitch", "range")]
    commands = [["hi", option, "2"] for option in ("--pitch", "--pitch-range")]
    for words in [*commands, *([one, "--ssml"] for one in marked)]:
        with pytest.raises(TtskitError, match="not trained with pitch"):
            run("say", *words, "--voice", flat, "-o", tmp_path / "a.wav")


def test_a_voice_may_have_a_pitch_range_of_its_own(tmp_path):
    usual = write_voice(tmp_path, name="usual.h5")
    wide = write_voice(tmp_path, "--pitch-range", 1.5, name="wide.h5")
    assert json.loads(run("voice", "info", wide, "--json").stdout)["pitch_range"] == 1.5
    assert "pitch range  1.5 times" in run("voice", "info", wide).stdout

    def found(path, *words):
        return run("say", TEXT, "--voice", path, "--raw", *words).stdout_bytes

    assert found(wide) == found(usual, "--pitch-range", 1.5) != found(usual)
    assert found(wide, "--pitch-range", 2) == found(usual, "--pitch-range", 3)
    with pytest.raises(TtskitError, match="no model here takes a pitch"):
        write_voice(tmp_path, "--pitch-range", 1.5, name="flat.h5", pitch=False)


def test_noise_scale_is_the_decoders(spoken):
    assert (spoken(TEXT, "--noise-scale", 0, "--seed", 1)
            == spoken(TEXT, "--noise-scale", 0, "--seed", 2)).all()  # fmt: skip


def test_a_voice_may_have_a_noise_scale_of_its_own(tmp_path, spoken):
    still = write_voice(tmp_path, "--noise-scale", 0, name="still.h5")
    assert json.loads(run("voice", "info", still, "--json").stdout)["noise_scale"] == 0

    def made(*words):
        return run("say", TEXT, "--voice", still, "--raw", *words).stdout_bytes

    assert made("--seed", 1) == made("--seed", 2)
    lively = made("--seed", 1, "--noise-scale", 0.667)
    assert lively != made("--seed", 1)
    assert lively == spoken(TEXT, "--seed", 1).tobytes()


def test_speakers_are_chosen_by_name(tmp_path):
    many = write_voice(tmp_path, known=facts(speakers=("ann", "bob")), speaker_in_encoder=True)
    made = [
        run("say", "hello", "--voice", many, "--raw", "--speaker", who).stdout_bytes
        for who in ("ann", "bob", "ann:0.5,bob:0.5")
    ]
    assert len(set(made)) == 3


def test_phonemes_of_text_are_spoken_as_the_text(spoken):
    written = run("text", "--phonemes", input=b"Hello there, world.\n").stdout
    assert (spoken(written.strip(), "--phonemes") == spoken("Hello there, world.")).all()
    assert len(spoken("h ə l ˈoʊ | w ˈɚ l d", "--phonemes")) > 5 * HOP


def test_a_lexicon_changes_what_is_said(spoken, tmp_path):
    (tmp_path / "mine.tsv").write_text("hello\tɡ ˈʊ d b ˈaɪ\n")
    changed = spoken("hello", "--lexicon", tmp_path / "mine.tsv")
    assert (changed == spoken("[[ɡ ˈʊ d b ˈaɪ]]")).all()


def test_ssml_breaks_prosody_and_phonemes_are_heard(spoken, tmp_path):
    def ssml(inner):
        return spoken(f"<speak>{inner}</speak>", "--ssml", "--timing", tmp_path / "t.json")

    plain = ssml("one two")
    assert (plain == spoken("one two")).all()
    held = ssml("one two <break time='1s'/>")
    assert len(held) - len(plain) == round(RATE / HOP) * HOP
    assert (ssml("<phoneme ph='w ˈʌ n'>1</phoneme> two") == plain).all()
    slow = ssml("one <prosody rate='50%'>two</prosody>")
    words = json.loads((tmp_path / "t.json").read_text())["words"]
    assert [word["word"] for word in words] == ["one", "two"]
    assert len(plain) < len(slow) < 2 * len(plain)
    quiet = ssml("one <prosody volume='-20dB'>two</prosody>")
    half = int(words[0]["stop"] * RATE) - 2 * HOP
    assert (quiet[:half] == plain[:half]).all()
    assert np.abs(quiet[-4 * HOP :]).max() < np.abs(plain[-4 * HOP :]).max() / 5


def test_marks_are_timed_where_the_next_word_begins(say, tmp_path):
    text = (
        "<speak>One <mark name='a'/>two. <mark name='b'/>Three<mark name='c'/>"
        "<break time='1s'/>four</speak>"
    )
    files = ("--timing", tmp_path / "a.json", "--manifest", tmp_path / "a.jsonl")
    assert say("--ssml", text, "-o", tmp_path / "a.wav", *files).exit_code == 0
    times = json.loads((tmp_path / "a.json").read_text())
    _, two, three, _ = times["words"]
    assert times["marks"] == [
        {"mark": "a", "time": two["start"]},
        {"mark": "b", "time": three["start"]},
        {"mark": "c", "time": three["stop"]},
    ]
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert rows[4:] == times["marks"]


def test_an_emphasised_word_lasts_longer_and_is_louder(spoken):
    plain = spoken("--ssml", "<speak>one two</speak>")
    stressed = spoken("--ssml", "<speak><emphasis level='strong'>one two</emphasis></speak>")
    assert len(stressed) > 1.1 * len(plain)
    assert np.std(stressed) > 1.2 * np.std(plain)


def test_with_lenient_the_rest_of_a_document_is_spoken(spoken, say, tmp_path):
    text = "<speak>one <voice name='x'>two</voice></speak>"
    with pytest.raises(TextError, match=r"x: no such file, nor an .*--lenient leaves it out"):
        say("--ssml", text, "-o", tmp_path / "a.wav")
    assert (spoken("--ssml", "--lenient", text) == spoken("one two")).all()


def test_a_long_break_takes_little_memory(spoken):
    spoken("a")
    tracemalloc.start()
    samples = spoken("--ssml", "<speak>a<break time='600s'/>b</speak>")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(samples) > 600 * RATE
    assert peak < samples.nbytes + 5e6  # they are read back


def test_times_that_are_spoken_again_are_the_same(spoken, tmp_path):
    grid, again = tmp_path / "a.TextGrid", tmp_path / "b.TextGrid"
    first = spoken(TEXT, "--timing", grid)
    second = spoken(TEXT, "--textgrid", grid, "--timing", again)
    assert grid.read_text() == again.read_text()
    assert (first == second).all()
    spoken(TEXT, "--rate", "1.3", "--textgrid", grid, "--timing", again)
    assert grid.read_text() == again.read_text()


def test_a_word_that_is_stretched_in_a_textgrid_lasts_twice_as_long(spoken, tmp_path):
    grid = tmp_path / "a.TextGrid"
    spoken(TEXT, "--timing", grid)
    tiers = textgrid.read(grid)
    word = next(word for word in tiers["words"] if word.label == "dollars")
    longer = word.stop - word.start

    def moved(time):
        return time + min(max(time - word.start, 0), longer)

    edited = {
        name: [tier._replace(start=moved(tier.start), stop=moved(tier.stop)) for tier in tier_list]
        for name, tier_list in tiers.items()
    }
    grid.write_text(textgrid.text(edited, edited["phones"][-1].stop))
    spoken(TEXT, "--textgrid", grid, "--manifest", tmp_path / "m")
    before = [one for one in tiers["words"] if one.label]
    rows = [json.loads(row) for row in (tmp_path / "m").read_text().splitlines()]
    assert len(rows) == len(before)
    for row, one in zip(rows, before, strict=True):
        factor = 2 if one.label == "dollars" else 1
        assert row["stop"] - row["start"] == pytest.approx(
            factor * (one.stop - one.start), abs=1e-4
        )


def test_a_textgrid_of_another_text_is_refused(spoken, say, tmp_path):
    spoken("Something else", "--timing", tmp_path / "a.TextGrid")
    with pytest.raises(TtskitError, match=r"a\.TextGrid: its TextGrid has '.+' at"):
        say(TEXT, "-o", tmp_path / "b.wav", "--textgrid", tmp_path / "a.TextGrid")
    (tmp_path / "c.TextGrid").write_text("not one")
    with pytest.raises(TtskitError, match=r"c\.TextGrid: Praat cannot read it"):
        say(TEXT, "-o", tmp_path / "b.wav", "--textgrid", tmp_path / "c.TextGrid")


def test_times_are_written_as_their_suffix_says(spoken, tmp_path):
    spoken(TEXT, "--timing", tmp_path / "a.srt")
    assert "1\n00:00:00," in (tmp_path / "a.srt").read_text()
    spoken(TEXT, "--timing", tmp_path / "a.ctm")
    assert "Hello" in (tmp_path / "a.ctm").read_text()


def test_times_replace_what_was_there_once_they_are_whole(spoken, tmp_path):
    names = {"--timing": tmp_path / "a.json", "--manifest": tmp_path / "m"}
    for path in names.values():
        path.write_text("old")
    with names["--timing"].open() as timing, names["--manifest"].open() as manifest:
        spoken("Hello.", *(word for pair in names.items() for word in pair))
        assert (timing.read(), manifest.read()) == ("old", "old")
    assert all(json.loads(path.read_text()) for path in names.values())


def test_the_manifest_accounts_for_every_word_of_fifty_sentences(spoken, tmp_path):
    from ttskit.text.spelling import Speller

    rng = np.random.default_rng(7)
    words = "it was 3 o'clock Dr. Smith $4.50 the cat's 1999 — (so far) read, lead; U.S. A".split()
    texts = [" ".join(rng.choice(words, rng.integers(1, 9))) + "." for _ in range(50)]
    speller = Speller("en-us")
    expected = [word for text in texts for word in speller.spell(text).words]
    (tmp_path / "t.txt").write_text("\n".join(texts))
    samples = spoken("--file", tmp_path / "t.txt", "--manifest", tmp_path / "m")
    rows = [json.loads(row) for row in (tmp_path / "m").read_text().splitlines()]
    assert sorted(row["word"] for row in rows) == sorted(expected)
    assert all(row["start"] < row["stop"] for row in rows)
    times = [row["start"] for row in rows]
    assert times == sorted(times)
    assert rows[-1]["stop"] <= len(samples) / RATE


def test_the_summary_counts(say, tmp_path):
    told = json.loads(say(TEXT, "-o", tmp_path / "a.wav", "--json").stdout)
    assert (told["sentences"], told["words"], told["sample_rate"]) == (2, 15, RATE)
    assert told["seconds"] * RATE == pytest.approx(soundfile.info(tmp_path / "a.wav").frames)
    assert told["real_time_factor"] > 0


@pytest.mark.parametrize("keep", [True, False])
def test_lines_are_kept_only_for_their_times(keep):
    chain = SimpleNamespace(judges=SimpleNamespace(judging=False))
    speech: Any = SimpleNamespace(chain=chain)
    report = Report(speech, 0.0, keep=keep)
    for sentence in (1, 1, 2):
        line: Any = SimpleNamespace(sentence=sentence, words=("a", "b"))
        report.add(Piece(line, np.ones(3), 2, np.ones(5)))
    assert (report.sentences, report.words, report.samples) == (2, 6, 21)
    assert len(report.spoken) == 3 * keep


def test_a_broken_voice_is_one_line(voice, tmp_path):
    path = tmp_path / "v.h5"
    path.write_bytes(voice.read_bytes()[:-3000])
    with pytest.raises(ArtifactError, match="is cut short at"):
        run("say", "hi", "--voice", path, "-o", tmp_path / "a.wav")


def test_from_python(voice, spoken):
    audio, rate = package.say("Hello there", voice=voice, seed=3)
    assert (audio.dtype, rate) == (np.float32, RATE)
    made = spoken("Hello there", "--seed", 3)
    assert np.abs(np.rint(audio * 32768).clip(-32768, 32767) - made).max() == 0
    quick, _ = package.say("One. Two.", voice=voice, rate=2, pause=1)
    assert len(quick) == len(spoken("One. Two.", "--rate", 2, "--pause", 1))
    with pytest.raises(TextError, match="no word to speak"):
        package.say("...", voice=voice)


def test_speaking_needs_neither_numba_nor_gruut(voice):
    code = (
        "import sys, ttskit\n"
        f"ttskit.say('Hello there, 5 of you', voice={str(voice)!r})\n"
        "slow = {'numba', 'gruut', 'scipy', 'torchaudio', 'matplotlib', 'parselmouth', 'soxr'}\n"
        "print(slow & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert found.stdout == "set()\n", found.stderr


def test_a_decoder_without_noise_says_so(say, tmp_path, monkeypatch):
    monkeypatch.setattr(Glow, "knobs", {})
    with pytest.raises(TtskitError, match="none of its models has a noise_scale"):
        say("hi", "--noise-scale", "0.5", "-o", tmp_path / "a.wav")


def test_rounds_are_those_of_the_vocoder(tmp_path):
    def audio(*words):
        run("say", "hi", *words, "-o", tmp_path / "a.wav")  # the embedded voice has `source`
        return soundfile.read(tmp_path / "a.wav", dtype="int16")[0]

    fewer = audio("--rounds", 0)
    assert (audio("--rounds", 8) == audio()).all()
    assert (fewer != audio()).any()
    assert (to_int16(package.say("hi", rounds=0)[0])[0] == fewer).all()


def test_a_voice_without_rounds_says_so(say, tmp_path):
    with pytest.raises(TtskitError, match="none of its models has rounds of Griffin-Lim"):
        say("hi", "--rounds", "8", "-o", tmp_path / "a.wav")


def srt(say, tmp_path, *words):
    """Say words; the texts of the subtitles."""
    assert say(*words, "-o", tmp_path / "a.wav", "--timing", tmp_path / "a.srt").exit_code == 0
    return [block.split("\n")[2] for block in (tmp_path / "a.srt").read_text().split("\n\n")]


def test_lines_of_a_file_are_joined_to_paragraphs_unless_each_is_wanted(say, tmp_path):
    text = "It was a very\nlong way to go. And\n  they went.\n\nThe end\n"
    file = tmp_path / "a.txt"
    file.write_text(text)
    joined = ["It was a very long way to go.", "And they went.", "The end"]
    by_line = ["It was a very", "long way to go.", "And", "they went.", "The end"]
    assert srt(say, tmp_path, "-f", file) == joined
    assert srt(say, tmp_path, "-f", file, "--lines") == by_line


def test_a_paragraph_of_a_file_has_its_pause(say, tmp_path):
    """The empty line between paragraphs is kept where lines are joined."""
    lengths = []
    for between in (" ", "\n\n"):
        (tmp_path / "a.txt").write_text(f"One two.{between}Three four.")
        assert say("-f", tmp_path / "a.txt", "--raw", "-o", tmp_path / "a.pcm").exit_code == 0
        lengths.append((tmp_path / "a.pcm").stat().st_size / 2)
    assert lengths[1] - lengths[0] == pytest.approx(2 * 0.25 * RATE, abs=2 * HOP)


def test_raw_samples_go_to_a_file_of_any_name(spoken, say, tmp_path):
    wanted = spoken(TEXT)
    assert say(TEXT, "--raw", "-o", tmp_path / "a.pcm").exit_code == 0
    assert (tmp_path / "a.pcm").read_bytes() == wanted.astype("<i2").tobytes()


def test_a_rate_may_be_in_percent(spoken):
    np.testing.assert_array_equal(spoken(TEXT, "--rate", "150%"), spoken(TEXT, "--rate", "1.5"))


@pytest.mark.parametrize(
    ("word", "meant"),
    [("--speed", "--rate"), ("--output_file=a.wav", "--output"), ("-m", "--voice")],
)
def test_the_option_of_another_program_is_answered_by_ours(word, meant):
    with pytest.raises(UsageError, match=f"say has no option .*did you mean {meant}"):
        run("say", "hi", word, "2")


def test_a_text_that_is_the_name_of_a_file_is_noted(say, tmp_path, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(progress, "note", told.append)
    file = tmp_path / "book.txt"
    file.write_text("one")
    assert say(file, "-o", tmp_path / "a.wav").exit_code == 0
    assert told[0] == f"{file} is a file: to speak what is in it, give --file {file}"


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A program in place of aplay; returns what it was given, and was called with."""

    def stand_in(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "aplay").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\n{script}\n')
        (folder / "aplay").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return stand_in


def test_the_player_gets_the_samples_and_their_rate(say, spoken, stand_in, tmp_path):
    stand_in(f"cat > {tmp_path}/played")
    made = say(TEXT, "--play")
    assert made.exit_code == 0
    assert made.stdout_bytes == b""
    assert (tmp_path / "played").read_bytes() == spoken(TEXT).astype("<i2").tobytes()
    assert (tmp_path / "words").read_text() == "-q -t raw -f S16_LE -c 1 -r 22050 -\n"


def test_a_player_that_fails_or_is_not_there_is_one_line(say, stand_in, tmp_path, monkeypatch):
    stand_in("exit 3")
    with pytest.raises(TtskitError, match="aplay ended with status 3: write a file with -o"):
        say(TEXT, "--play")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TtskitError, match=r"--play: found none of aplay, .*: install one"):
        say(TEXT, "--play")


@pytest.mark.parametrize(("suffix", "rate"), [(".opus", 24000), (".mp3", 22050)])
def test_a_compressed_file_has_what_a_wav_has(say, spoken, tmp_path, suffix, rate):
    """As long at the rate that the format can have, and it sounds alike."""
    wanted = samples.resample(spoken(TEXT) / np.float32(32768), RATE, rate)
    assert say(TEXT, "-o", tmp_path / f"a{suffix}").exit_code == 0
    found, found_rate = soundfile.read(tmp_path / f"a{suffix}")
    assert found_rate == rate
    assert abs(len(found) - len(wanted)) <= 1
    shared = min(len(found), len(wanted))
    assert np.corrcoef(np.abs(found[:shared]), np.abs(wanted[:shared]))[0, 1] > 0.5


def test_phonemes_that_training_hardly_heard_are_noted_once(tmp_path):
    known = facts()
    heard = [2 if symbol == "θ" else 50 for symbol in known.symbols]
    voice = write_voice(tmp_path, known=replace(known, heard=tuple(heard)))
    found = run("say", "Thick and thin. Thin.", "--voice", voice, "-o", tmp_path / "x.wav")
    notes = [line for line in found.stderr.splitlines() if "was heard" in line]
    assert notes == ["θ in 'Thick' was heard 2 times in training: may sound wrong"]
    assert "was heard" not in run("say", "Tom.", "--voice", voice, "-o", tmp_path / "y.wav").stderr
