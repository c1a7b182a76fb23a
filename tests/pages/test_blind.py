"""`ttskit report --blind`: what is in the page, and in a browser, what a listener sees and gets."""

import base64
import io
import json
import re
import time

import pytest
import soundfile

from tests import browser
from tests.factory import run
from tests.systems import IDS, TEXTS, sounds, write_corpus_of
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import TtskitError, UsageError
from ttskit.pages import blind

HOSTILE = "</script><b>gamma"
SYSTEMS = ["ref (reference)", "alpha", HOSTILE]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blind")
    for number, name in enumerate(("ref", "alpha", "beta")):
        write_corpus_of(folder / f"{name}.h5", sounds(number))
    return folder


def written(folder, out, *words):
    systems = [folder / f"{name}.h5" for name in ("ref", "alpha", "beta")]
    run("report", *systems, "--name", f"beta={HOSTILE}", "--blind", "--jobs", 1, *words, "-o", out)
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def path(folder):
    written(folder, folder / "page.html")
    return folder / "page.html"


@pytest.fixture(scope="module")
def html(path):
    return path.read_text(encoding="utf-8")


def key_of(html):
    (coded,) = re.findall('data-key="(.*?)"', html)
    return json.loads(base64.b64decode(coded))


def test_the_page_tells_no_name_outside_its_key(html):
    assert key_of(html)["systems"] == SYSTEMS
    coded = '(src|data-key)="[^"]*"|<(style|script)>.*?</(style|script)>'
    assert not re.search("gamma|alpha|beta|reference", re.sub(coded, "", html, flags=re.DOTALL))
    assert "data:audio/flac" in html


def test_each_clip_is_of_the_system_that_the_key_says(folder, html):
    corpora = [Reader(folder / f"{name}.h5", Corpus) for name in ("ref", "alpha", "beta")]
    clips = [
        base64.b64decode(one) for one in re.findall('src="data:audio/flac;base64,(.*?)"', html)
    ]
    heard = [soundfile.read(io.BytesIO(one), dtype="int16")[0].tobytes() for one in clips]
    said = [(id, system) for id, order in key_of(html)["texts"] for system in order]
    assert heard == [corpora[system][id].audio.tobytes() for id, system in said]
    assert sorted(said) == [(id, system) for id in IDS for system in range(3)]


def test_texts_and_orders_follow_from_the_seed(folder, html, tmp_path):
    assert written(folder, tmp_path / "same.html", "--seed", 0) == html
    corpora = [Reader(folder / f"{name}.h5", Corpus) for name in ("ref", "alpha", "beta")]
    others = [blind.trials(corpora, 50, seed) for seed in range(24)]
    assert [[one.id, one.order] for one in others[0]] == key_of(html)["texts"]
    orders = {tuple(one.order) for drawn in others for one in drawn}
    assert len(orders) == 6  # all there are: 72 draws miss one with a chance of one in 80,000
    assert len({tuple(one.id for one in drawn) for drawn in others}) == 6
    (text,) = key_of(written(folder, tmp_path / "x.html", "--limit", 1))["texts"]
    assert text[0] in IDS


def test_markup_in_a_text_is_escaped(html):
    assert html.count("<script>") == 1
    assert "window.hurt" in html
    assert "<script>window.hurt" not in html


def test_texts_that_a_system_lacks_or_says_otherwise_are_left_out(folder, tmp_path):
    clips = {id: sounds(3)[id] for id in ("u0", "u1")}
    write_corpus_of(tmp_path / "x.h5", clips, TEXTS | {"u0": "another"})
    words = ("report", folder / "ref.h5", tmp_path / "x.h5", "--blind", "--jobs", 1)
    result = run(*words, "-o", tmp_path / "x.html")
    assert [id for id, _ in key_of((tmp_path / "x.html").read_text("utf-8"))["texts"]] == ["u1"]
    assert "2 of 3 texts are left out" in result.stderr
    write_corpus_of(tmp_path / "x.h5", {"u0": clips["u0"]}, {"u0": "another"})
    with pytest.raises(TtskitError, match="there is no text that all systems say"):
        run(*words, "-o", tmp_path / "y.html")
    assert not (tmp_path / "y.html").exists()


def test_a_number_to_sort_by_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="--sort: a page that is --blind shows no numbers"):
        written(folder, tmp_path / "x.html", "--sort", "mcd")


def exported(path, listener, votes, page="0123"):
    found = {"page": page, "listener": listener, "systems": ["a", "b"], "votes": votes, "order": []}
    path.write_text(json.dumps(found), "utf-8")
    return path


def test_votes_of_listeners_come_to_means_over_texts_of_means_over_listeners(tmp_path):
    one = exported(tmp_path / "1.json", "Ann", {"u0": {"a": 5, "b": 2}, "u1": {"a": 4, "b": 1}})
    two = exported(tmp_path / "2.json", "Ben", {"u0": {"b": 4}, "u1": {"a": 2}})
    lines = run("report", "--votes", one, two).stdout.splitlines()
    assert lines[0].split() == ["system", "mean", "95", "%", "interval", "texts", "votes"]
    # a: u0 5, u1 (4 + 2) / 2; b: u0 (2 + 4) / 2, u1 1; of two texts, the ends are the texts
    assert lines[1].split() == ["a", "4.00", "3.00", "to", "5.00", "2", "3"]
    assert lines[2].split() == ["b", "2.00", "1.00", "to", "3.00", "2", "3"]


def test_votes_that_cannot_be_counted_together_are_refused(tmp_path):
    votes = {"u0": {"a": 5, "b": 2}}
    one = exported(tmp_path / "1.json", "Ann", votes)
    again = exported(tmp_path / "2.json", "Ann", votes)
    with pytest.raises(TtskitError, match=r"2\.json: are votes of Ann, as .*1\.json"):
        run("report", "--votes", one, again)
    other = exported(tmp_path / "3.json", "Ben", votes, page="4567")
    with pytest.raises(TtskitError, match=r"3\.json: are votes on another page than .*1\.json"):
        run("report", "--votes", one, other)
    for grade in (0, 6, "5", True, None):
        bad = exported(tmp_path / "4.json", "Ben", {"u0": {"a": grade}})
        with pytest.raises(TtskitError, match=r"4\.json: u0: .* 1 to 5"):
            run("report", "--votes", bad)
    for content in (b"{", b"[]", b'{"votes": 3}', b"\xff"):
        (tmp_path / "5.json").write_bytes(content)
        with pytest.raises(TtskitError, match=r"5\.json: is no file of votes"):
            run("report", "--votes", tmp_path / "5.json")
    with pytest.raises(UsageError, match="--votes: needs files that"):
        run("report", "--votes")
    with pytest.raises(UsageError, match="--votes: "):
        run("report", "--votes", one, "--blind")


@pytest.fixture(scope="module")
def opened(path):
    if browser.program() is None:
        pytest.skip(f"no browser: none of {', '.join(browser.PROGRAMS)} is installed")
    with browser.Browser(path) as page:
        yield page


@pytest.fixture
def page(opened):
    """The page before a listener has begun; no votes are kept."""
    opened.get("localStorage.clear()")
    opened.reload()
    yield opened
    assert opened.errors == []


def begin(page, listener):
    page.get(f"find('listener').value = {json.dumps(listener)}")
    page.click("#start button")


def hear_and_rate(page, grades):
    """Rate the clips of the text that is shown, by keys."""
    for letter, grade in zip("abc", grades, strict=False):
        page.press(letter)
        page.wait("!clip.element.querySelector('input').disabled")
        page.press(str(grade))


ORDERS = "JSON.stringify(trials.map(one => [one.number, one.clips.map(clip => clip.at)]))"


@pytest.mark.browser
def test_a_listener_rates_every_clip_and_exports_the_votes_by_system(page, tmp_path):
    begin(page, "Ann")
    for done in range(3):
        assert page.get("find('next').disabled")
        hear_and_rate(page, (done + 1, done + 2, done + 3))
        seen = page.get("document.body.innerText")
        assert not re.search("gamma|alpha|beta|reference", seen)
        page.press("ArrowRight")
    page.wait("!find('end').hidden")
    table = page.get("all('#means tr').map(one => [...one.cells].map(cell => cell.textContent))")
    page.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.click("#export")
    until = time.monotonic() + 120
    while not (tmp_path / "votes-Ann.json").exists() and time.monotonic() < until:
        page.get("new Promise(done => setTimeout(done, 20))")
    found = json.loads((tmp_path / "votes-Ann.json").read_text("utf-8"))
    gathered = run("report", "--votes", tmp_path / "votes-Ann.json").stdout.splitlines()[1:]
    assert [line.split("  ")[0] for line in gathered] == SYSTEMS
    assert found["listener"] == "Ann"
    assert found["page"] == page.get("PAGE")
    assert found["systems"] == SYSTEMS
    for at, (id, order) in enumerate(found["order"]):
        assert found["votes"][id] == dict(zip(order, (at + 1, at + 2, at + 3), strict=True))
    means = {name: sum(row[name] for row in found["votes"].values()) / 3 for name in SYSTEMS}
    assert {name: mean for name, mean, *_ in table} == {
        name: f"{mean:.2f}" for name, mean in means.items()
    }


@pytest.mark.browser
def test_votes_outlast_the_page_and_each_listener_has_an_order(page):
    begin(page, "Ann")
    hear_and_rate(page, (2, 4, 5))
    before = page.get(ORDERS)
    page.reload()
    assert page.get("find('listener').value") == "Ann"
    page.click("#start button")
    assert page.get(ORDERS) == before
    assert page.get("trials[0].clips.map(vote)") == [2, 4, 5]
    assert page.get("current") == 1
    orders = {before}
    for listener in ("Ben", "Cy", "Di"):
        page.reload()
        begin(page, listener)
        orders.add(page.get(ORDERS))
        assert page.get("session.votes.flat().every(one => one === 0)")
    assert len(orders) == 4


@pytest.mark.browser
def test_a_clip_is_rated_once_it_was_heard_and_not_after_the_names_are_shown(page):
    begin(page, "Ann")
    page.get("rate(trials[0].clips[0], 3)")
    assert page.get("vote(trials[0].clips[0])") == 0
    page.press("a")
    page.wait("!clip.element.querySelector('input').disabled")
    page.get("find('stop').click()")
    page.get("rate(trials[0].clips[0], 3)")
    assert page.get("vote(trials[0].clips[0])") == 0
    page.reload()
    page.click("#start button")
    assert page.get("find('rating').hidden && !find('end').hidden")
