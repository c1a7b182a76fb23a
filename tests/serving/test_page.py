"""The page of `ttskit serve` in a real browser: typed at, heard, and measured."""

import json
import threading

import pytest

from tests import browser
from tests.serving.running import running
from ttskit.dsp.samples import to_int16
from ttskit.serving import server
from ttskit.serving.app import app
from ttskit.serving.desk import Desk, Limits
from ttskit.speaking.chain import Chain

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("chromium")]
TEXT = "It cost $5. <b>Bold</b> 😀 naïve words."


@pytest.fixture
def chromium():
    if browser.program() is None:
        pytest.skip(f"no browser: none of {', '.join(browser.PROGRAMS)} is installed")


@pytest.fixture
def page(speaker):
    desk = Desk({"tiny": speaker}, Limits(characters=400), threads=1)
    application = app(desk, hosts=("127.0.0.1",))
    with (
        running(server.http, application) as (host, port),
        browser.Browser(f"http://{host}:{port}/") as page,
    ):
        page.wait("voices.length === 1")
        yield page
        assert page.errors == []
        assert {url.split("/")[2] for url in page.requests if url.startswith("http")} == {
            f"{host}:{port}"
        }


def speak(page, text=TEXT):
    page.get(f"at('text').value = {json.dumps(text)}")
    page.click("#speak")
    page.wait("work === null && !at('result').hidden")


def test_the_words_are_those_of_the_text_and_light_up_as_they_are_spoken(page):
    speak(page)
    assert page.get("at('words').textContent") == TEXT
    words = "[...document.querySelectorAll('#words button')].map(one => one.textContent)"
    assert page.get(words) == ["It", "cost", "$5", "Bold", "naïve", "words"]
    lit = "[...document.querySelectorAll('.lit')].map(one => one.textContent).join('|')"
    page.get("stream.close()")
    for number, word in [(2, "$5"), (4, "naïve"), (0, "It")]:
        page.get(f"now = speech.marks[{number}], player.pause()")
        page.get("player.currentTime = (now.start + now.stop) / 2")
        page.wait(f"{lit} === '{word}'")
    page.click("#words button:nth-of-type(6)")
    page.wait(f"{lit} === 'words'")
    page.wait("player.ended")
    page.wait(f"{lit} === ''")


LIT = """window.lit = []; new MutationObserver(() => {
    const word = document.querySelector('.lit')?.textContent;
    if (word && lit.at(-1) !== word) lit.push(word);
}).observe(at('words'), {subtree: true, attributes: true})"""  # gathers the words that light up


def slowed(monkeypatch):
    """Let each line after the first wait until `Event.set`."""
    go, speak = threading.Event(), Chain.speak

    def waiting(self, line, *words):
        if line.number:
            assert go.wait(60)
        return speak(self, line, *words)

    monkeypatch.setattr(Chain, "speak", waiting)
    return go


def test_the_first_sentence_sounds_while_the_next_one_is_made(page, monkeypatch):
    go = slowed(monkeypatch)
    page.get("at('text').value = 'One two. Three four.'")
    page.get(LIT)
    page.click("#speak")
    try:
        page.wait("stream && stream.now > 0.2")
        assert page.get("work !== null && player.hidden")
        assert page.get("at('words').textContent") == "One two."
        page.wait("lit.join(' ') === 'One two'")
        page.click("#words button")  # plays from there again
        page.wait("lit.join(' ') === 'One two One two'")
    finally:
        go.set()
    page.wait("work === null && !player.hidden")
    assert page.get("at('words').textContent") == "One two. Three four."
    page.wait("lit.join(' ') === 'One two One two Three four'")
    page.wait("stream.closed && at('stop').hidden && !document.querySelector('.lit')")


def test_the_stream_sounds_as_the_voice_does(page, speaker):
    speak(page, "One two. Three four.")
    page.get("stream.close()")
    heard = page.get(
        "stream.lines.flatMap(({buffer}) => [...buffer.getChannelData(0)]).map((x) => x * 32768)"
    )
    assert heard == to_int16(speaker.voice.say("One two. Three four."))[0].tolist()


def test_a_stream_that_is_stopped_is_silent_and_another_text_is_spoken(page, monkeypatch):
    go = slowed(monkeypatch)
    page.get("at('text').value = 'One two. Three four.'")
    page.click("#speak")
    try:
        page.wait("stream && stream.now > 0.1")
        page.click("#stop")
        page.wait("work === null && stream === null && at('state').textContent === 'Stopped.'")
    finally:
        go.set()
    speak(page, "Five.")
    assert page.get("at('words').textContent") == "Five."


def test_playing_the_file_takes_over_from_the_stream(page):
    speak(page, "One two three four five six seven eight.")
    page.wait("stream.now > 0.3")
    page.get("player.play()")
    page.wait("stream.closed && player.currentTime > 0.3")


def test_what_was_spoken_can_be_downloaded(page):
    page.get("at('format').value = 'flac'")
    speak(page, "Hello.")
    assert page.get("at('download').download") == "tiny.flac"
    assert page.get("at('download').href").startswith("blob:")
    page.wait("player.duration > 0.1")


def test_settings_steer_the_speech_and_come_back_from_history(page):
    speak(page, "One two three.")
    usual = page.get("speech.seconds")
    page.get("at('rate').value = 2, at('pitch').value = 3, show()")
    assert page.get("[at('rate-shown').value, at('pitch-shown').value]") == ["× 2.00", "+3 st"]
    speak(page, "Four five six.")
    assert page.get("speech.words.map(one => one.word)") == ["Four", "five", "six"]
    page.reload()
    page.wait("voices.length === 1")
    items = "[...document.querySelectorAll('#history span')].map(one => one.textContent)"
    assert page.get(items) == ["Four five six.", "One two three."]
    page.click("#history li:nth-child(2) button")
    page.wait("speech && work === null")
    assert page.get("speech.seconds") == usual
    assert page.get("[at('text').value, at('rate').value]") == ["One two three.", "1"]
    page.click("#clear")
    assert page.get("at('past').hidden")


def test_an_error_is_said_and_the_page_goes_on(page):
    page.get("at('text').value = '...'")
    page.click("#speak")
    page.wait("at('state').classList.contains('wrong')")
    assert "has no word to speak" in page.get("at('state').textContent")
    page.errors.clear()  # that the server answered 400
    speak(page, "Hello.")
    assert not page.get("at('state').classList.contains('wrong')")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(page, width):
    page.resize(width, 900)
    speak(page, "Supercalifragilistic" * 10 + " and some other words.")
    assert page.get("document.documentElement.scrollWidth") <= width


def test_a_token_is_asked_for_where_one_is_needed(speaker):
    application = app(Desk({"tiny": speaker}, Limits(), threads=1), token="secret")
    with (
        running(server.http, application) as (host, port),
        browser.Browser(f"http://{host}:{port}/") as page,
    ):
        page.wait("!at('gate').hidden && at('state').textContent.includes('Bearer TOKEN')")
        page.get("at('token').value = 'secret', at('token').dispatchEvent(new Event('change'))")
        page.wait("voices.length === 1")
        speak(page, "Hello.")
        assert page.get("speech.words.map(one => one.word)") == ["Hello"]
