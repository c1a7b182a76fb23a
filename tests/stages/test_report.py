"""`ttskit report` and the page of `doctor`: what is in the file, without a browser."""

import base64
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.factory import run, write_speech
from tests.systems import (
    IDS,
    MCD,
    TEXTS,
    WER,
    fill,
    sounds,
    write_corpus_of,
    write_scores,
    write_words,
)  # fmt: skip
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError, TtskitError
from ttskit.metrics.cures import CURES
from ttskit.pages import picture

VOID = {"meta", "img", "input", "br", "link", "path"}


class Strict(HTMLParser):
    """Refuses tags that do not match, attributes that are there twice, and ids that are."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.found = [], set(), []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), (tag, attrs)
        if id := attributes.get("id"):
            assert id not in self.ids
            self.ids.add(id)
        self.found.append((tag, attributes, []))
        if tag not in VOID:
            self.open.append(self.found[-1])

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, wanted, **attributes):
        """(attributes, text) of every element of a tag that has these attributes."""
        return [
            (attrs, "".join(texts))
            for tag, attrs, texts in self.found
            if tag == wanted and attributes.items() <= attrs.items()
        ]


def parsed(path):
    page = Strict()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def path(folder):
    words = [folder / f"{name}.h5" for name in ("scores-b", "words-b", "a", "ref", "b", "words")]
    run("report", *words, folder / "scores-a.h5", "--jobs", 1, "-o", folder / "page.html")
    return folder / "page.html"


@pytest.fixture(scope="module")
def page(path):
    return parsed(path)


def data(url, kind):
    head, coded = url.split(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(coded)


def cells(page, tag="td"):
    return [float(attrs["data-value"]) for attrs, _ in page.all(tag) if "data-value" in attrs]


def order(page):
    return [text for _, text in page.all("h3")]


def test_the_page_loads_no_external_resource(page):
    urls = [attrs[name] for _, attrs, _ in page.found for name in ("src", "href") if name in attrs]
    assert len(urls) == 2 * 8  # a picture and a recording of each take that is there
    assert all(url.startswith("data:") for url in urls)
    style = page.all("style")[0][1]
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'; img-src data:; media-src data:;")


def test_every_utterance_is_on_the_page_and_its_text_is_escaped(page):
    assert sorted(order(page)) == IDS
    assert {text for _, text in page.all("p", **{"class": "text"})} == set(TEXTS.values())
    assert len(page.all("script")) == 1
    heard = [text for _, text in page.all("p", **{"class": "note"}) if "heard" in text]
    assert "a recogniser heard: <b>nothing & all" in heard


def test_recordings_are_those_of_the_artifacts(folder, page):
    import soundfile

    found = [data(attrs["src"], "audio/flac") for attrs, _ in page.all("audio")]
    shown = [soundfile.read(io.BytesIO(one), dtype="int16")[0].tobytes() for one in found]
    known = [Reader(folder / f"{name}.h5", Corpus) for name in ("ref", "a", "b")]
    assert sorted(shown) == sorted(
        one.audio.tobytes() for reader in known for one in reader.values()
    )


def test_scores_are_those_of_the_artifacts(folder, page):
    planted = [one for table in (MCD, WER) for row in table.values() for one in row if one == one]
    assert sorted(cells(page, "dd")) == sorted(planted)
    assert "mcd 7.00 dB" in [text for attrs, text in page.all("div") if "data-column" in attrs]
    reports = [run("evaluate", folder / f"scores-{name}.h5", "--json").stdout for name in "ab"]
    summaries = [json.loads(one) for one in reports]
    means = [one[name]["mean"] for one in summaries for name in ("mcd", "wer")]
    assert cells(page) == pytest.approx(means, abs=1e-12)
    assert [text for _, text in page.all("b")[:4]] == ["4.00", "0.417", "6.50", "0.250"]
    heads = [text for _, text in page.all("th", scope="col")]
    assert f"mcddB ↓{summaries[0]['mcd']['hash']}" in heads


def test_the_worst_come_first_and_the_number_left_out_is_stated(folder, page, tmp_path):
    assert order(page) == ["u1", "u2", "u0"]  # by mcd: 9 of b, 7 of a, 4 of b
    words = [folder / f"{name}.h5" for name in ("ref", "a", "b", "scores-a", "scores-b")]
    out = tmp_path / "x.html"
    result = run("report", *words, "--sort", "wer", "--limit", 2, "--jobs", 1, "-o", out)
    few = parsed(out)
    assert order(few) == ["u2", "u0"]
    assert "2 utterances, the worst first by wer: 1 of 3 are left out." in few.all("p")[0][1]
    assert "2 of 3 utterances" in result.stderr
    with pytest.raises(TtskitError, match="--sort lsd: there is mcd, mcd_plain, "):
        run("report", *words, "--sort", "lsd", "-o", out)


def test_utterances_that_a_system_lacks_are_listed_with_the_reason(page):
    missing = [text for attrs, text in page.all("li") if "missing" in attrs["class"]]
    assert missing == ["3bis not there: too long"]
    assert [text for _, text in page.all("button", disabled=None)] == ["3b"]


def test_words_stand_where_the_alignment_has_them(page):
    anchors = [
        json.loads(attrs["data-anchors"]) for attrs, _ in page.all("li") if "data-anchors" in attrs
    ]
    assert [0.0, 0.0, 0.512, 1.024, 1.024] in anchors
    assert [0.0, 0.256, 1.28, 1.536, 1.536] in anchors


def test_scores_with_other_settings_have_columns_of_their_own(folder, tmp_path):
    write_scores(
        tmp_path / "other.h5", folder / "b.h5", folder / "ref.h5", MCD["b"], WER["b"], "{}"
    )
    words = [folder / f"{name}.h5" for name in ("ref", "a", "b", "scores-a")]
    run("report", *words, tmp_path / "other.h5", "--jobs", 1, "-o", tmp_path / "x.html")
    page = parsed(tmp_path / "x.html")
    heads = [text for _, text in page.all("th", scope="col")]
    assert len({head for head in heads if head.startswith("mcddB")}) == 2
    options = [text for _, text in page.all("option")]
    assert len([text for text in options if re.fullmatch("mcd [0-9a-f]{8}", text)]) == 2


def test_scores_of_other_corpora_are_refused(folder, tmp_path):
    write_corpus_of(tmp_path / "x.h5", sounds(9))
    write_scores(tmp_path / "s.h5", tmp_path / "x.h5", folder / "ref.h5", MCD["a"], WER["a"])
    out = ("--jobs", 1, "-o", tmp_path / "x.html")
    with pytest.raises(ArtifactError, match=r"s\.h5: what it measured is none of .*ref\.h5"):
        run("report", folder / "ref.h5", folder / "a.h5", tmp_path / "s.h5", *out)
    write_scores(tmp_path / "t.h5", folder / "a.h5", folder / "b.h5", MCD["a"], WER["a"])
    words = [folder / f"{name}.h5" for name in ("ref", "a", "b", "scores-b")]
    with pytest.raises(ArtifactError, match=r"t\.h5: was measured against .*b\.h5, .*scores-b\.h5"):
        run("report", *words, tmp_path / "t.h5", *out)
    with pytest.raises(ArtifactError, match=r"scores-a\.h5: was measured against another ref"):
        run("report", folder / "a.h5", folder / "scores-a.h5", *out)
    with pytest.raises(ArtifactError, match=r"has mcd of b too: give one of them"):
        run("report", *words, folder / "scores-b.h5", *out)
    assert not (tmp_path / "x.html").exists()


def test_merged_scores_belong_to_the_corpus_of_their_name(folder, tmp_path):
    run("select", folder / "scores-a.h5", "--head", 2, "-o", tmp_path / "a.scores.h5")
    words = (folder / "ref.h5", folder / "a.h5", folder / "b.h5", tmp_path / "a.scores.h5")
    run("report", *words, "--jobs", 1, "-o", tmp_path / "x.html")
    rows = [text for attrs, text in parsed(tmp_path / "x.html").all("th", scope="row")]
    assert rows == ["a"]
    run("select", folder / "scores-a.h5", "--head", 2, "-o", tmp_path / "c.scores.h5")
    with pytest.raises(ArtifactError, match=r"c\.scores\.h5: what it measured is none of"):
        run("report", *words[:3], tmp_path / "c.scores.h5", "-o", tmp_path / "y.html")


def test_artifacts_that_do_not_belong_together_are_refused(folder, tmp_path):
    ref, a, words = (folder / f"{name}.h5" for name in ("ref", "a", "words"))
    out = ("--jobs", 1, "-o", tmp_path / "x.html")
    others = {f"v{number}": sound for number, sound in enumerate(sounds(0).values())}
    write_corpus_of(tmp_path / "v.h5", others, dict.fromkeys(others, "x"))
    with pytest.raises(ArtifactError, match=r"v\.h5: has no utterance that .*ref\.h5 has"):
        run("report", ref, tmp_path / "v.h5", *out)
    with pytest.raises(ArtifactError, match=r"u0: lasts 1\.536 s, in .*ref\.h5 1\.024 s"):
        run("report", ref, folder / "words-b.h5", *out)
    with pytest.raises(ArtifactError, match="tells the same already"):
        run("report", ref, words, words, *out)
    with pytest.raises(ArtifactError, match=r"a\.h5: says the same as .*a\.h5"):
        run("report", ref, a, a, *out)
    write_speech(tmp_path, 1)
    with pytest.raises(ArtifactError, match=r"tokens\.h5: is tokens, which is not for a page"):
        run("report", ref, tmp_path / "tokens.h5", *out)
    with pytest.raises(ArtifactError, match="no corpus artifact among the inputs"):
        run("report", words, *out)
    with pytest.raises(TtskitError, match=r"needs a name that ends in \.html"):
        run("report", ref, a, "-o", a)


def test_an_utterance_that_cannot_be_shown_is_named_and_stays(tmp_path):
    clips = {**sounds(0), "u2": np.zeros(0, np.int16), "u1": sounds(0)["u1"][:40]}
    write_corpus_of(tmp_path / "x.h5", clips, TEXTS | {"u0": "another"})
    write_corpus_of(tmp_path / "ref.h5", sounds(0))
    words = (tmp_path / "ref.h5", tmp_path / "x.h5", "--name", "x=<i>")
    run("report", *words, "--jobs", 1, "-o", tmp_path / "x.html")
    page = parsed(tmp_path / "x.html")
    notes = [text for _, text in page.all("p", **{"class": "note"})]
    assert notes == ["has another text: another", "has no samples"]
    assert {text for attrs, text in page.all("button") if "aria-pressed" in attrs} == {
        "1ref (reference)", "2<i>",
    }  # fmt: skip
    assert len(page.all("audio")) == 5


def test_standard_output_gets_the_same_page(folder, tmp_path):
    words = ("report", folder / "ref.h5", "--jobs", 1, "--audio", "ogg")
    run(*words, "-o", tmp_path / "x.html")
    assert run(*words).stdout_bytes == (tmp_path / "x.html").read_bytes()


def test_a_tone_is_dark_where_it_sounds():
    from matplotlib.image import imread

    mel = np.full((30, 80), -11.5)
    mel[11:20, 60] = 0.0
    grey = imread(io.BytesIO(picture.spectrogram(mel, 0.0)))
    assert grey.shape == (80, 30)
    assert (grey / grey.max() == (mel.T[::-1] < -8)).all()


def test_the_curve_is_the_pitch():
    f0 = np.array([0, 100, 110, 0, 0, 400, 0, 200, 210, 220], np.float32)
    axis = picture.Axis(f0)
    found = np.zeros(len(f0))
    for x, y, steps in re.findall(r"M(\d+) (\d+)((?:l1 -?\d+)*)", picture.curve(f0, axis)):
        heights = np.cumsum([int(y), *map(int, re.findall(r"l1 (-?\d+)", steps))])
        share = 1 - heights / picture.HEIGHT
        place = slice(int(x), int(x) + len(heights))
        found[place] = 2 ** (axis.low + share * (axis.high - axis.low))
    assert found == pytest.approx(f0, rel=0.01)
    assert [*axis.guides] == [100, 200, 400][: len(axis.guides)]


def test_doctor_s_page_has_the_clips_that_look_odd_and_why(tmp_path):
    clips = sounds(0)
    for clip in (clips["u0"], clips["u1"]):
        clip[:6000] = 0
    loud = np.clip(clips["u1"].astype(int) * 30, -32768, 32767).astype(np.int16)
    write_corpus_of(tmp_path / "x.h5", clips | {"u1": loud})
    write_words(tmp_path / "w.h5", {id: [16, 32, 16] for id in IDS})
    words = ("doctor", tmp_path / "x.h5", tmp_path / "w.h5", "--silence", 0.3, "--jobs", 1)
    plain = run(*words)
    result = run(*words, "--page", tmp_path / "x.html")
    assert result.stdout == plain.stdout
    page = parsed(tmp_path / "x.html")
    listed = [line.split("\t") for line in plain.stdout.splitlines()]
    counts = Counter(line[0] for line in listed)
    assert order(page)[:2] == ["u1", "u0"]
    assert counts["u1"] > counts["u0"] > 0
    wanted = [f"{what}: {detail}" for id, what, detail in listed if id != "-"]
    assert sorted(text for _, text in page.all("p", **{"class": "note"})) == sorted(wanted)
    assert "clipping: " in "".join(wanted)
    assert [text for _, text in page.all("td")] == [
        cell for line in listed if line[0] == "-" for cell in line
    ] + [cell for what in dict.fromkeys(line[1] for line in listed) for cell in (what, CURES[what])]
    assert len(page.all("audio")) == len(order(page))
    with pytest.raises(TtskitError, match="--page: needs a Corpus"):
        run("doctor", tmp_path / "w.h5", "--page", tmp_path / "x.html")
