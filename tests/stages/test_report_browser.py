"""The page of `ttskit report` in a real browser: clicked, typed at, and measured."""

import pytest

from tests import browser
from tests.factory import run
from tests.systems import fill

pytestmark = pytest.mark.browser
NAMES = ("ref", "a", "b", "words", "words-b", "scores-a", "scores-b")
ORDER = "all('article:not([hidden])').map(one => one.dataset.row).join('')"
NOW = "[now.article.dataset.row, now.number, now.playing]"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    if browser.program() is None:
        pytest.skip(f"no browser: none of {', '.join(browser.PROGRAMS)} is installed")
    folder = fill(tmp_path_factory.mktemp("browser"))
    words = [folder / f"{name}.h5" for name in NAMES]
    run("report", *words, "--jobs", 1, "-o", folder / "page.html")
    with browser.Browser(folder / "page.html") as page:
        yield page


@pytest.fixture
def page(opened):
    """The page as it is when it has just been opened; u1, u2 and u0 are there, in this order."""
    opened.reload()
    yield opened
    assert opened.errors == []


def choose(page, id, value):
    page.get(f"{id}.value = {value}; {id}.dispatchEvent(new Event('change'))")


def test_it_loads_nothing_from_anywhere_and_runs_no_script_but_its_own(page):
    asked = {url.split(":")[0] for url in page.requests}
    assert asked <= {"file", "data"}
    assert len([url for url in page.requests if url.startswith("file")]) == page.loads
    assert page.get("window.hurt") is None
    assert page.get("document.querySelectorAll('h3').length") == 3
    page.get("Object.assign(document.body.appendChild(new Image()), {src: 'http://127.0.0.1:9/'})")
    page.wait("document.images.length === 9")
    assert any("Content Security Policy" in one for one in page.errors)
    page.errors.clear()


def test_another_take_continues_at_the_same_word(page):
    page.press("j", " ")
    page.wait("now.playing && now.seconds > 0.1")
    page.press(" ")
    assert page.get(NOW) == ["1", 0, False]
    page.get("seek(0.768)")  # half of the second word of the reference, from 0.512 to 1.024
    page.press("3")
    assert page.get("now.seconds") == pytest.approx(1.408, abs=0.001)  # from 1.28 to 1.536
    assert page.get("[...document.querySelectorAll('.here .at')].map(one => one.style.left)") == [
        "75%", "75%", "91.6667%",
    ]  # fmt: skip
    page.press(" ")
    page.wait("now.playing && now.seconds > 1.42")
    page.press("1")
    assert page.get("now.playing && now.number === 0 && 0.76 < now.seconds")
    page.wait("sound(takes(now.article)[0]).currentTime > 0.8")
    assert page.get("all('audio').filter(one => !one.paused).length") == 1


def test_a_take_that_has_ended_restarts(page):
    page.press("j")
    page.get("seek(0.95)")
    page.press(" ")
    page.wait("!now.playing")
    assert page.get("now.seconds") == 0


def test_keys_go_from_utterance_to_utterance(page):
    page.press("j", "2", "j")
    assert page.get(NOW) == ["2", 1, False]
    assert page.get("document.activeElement === now.article && all('.here').length === 1")
    page.press("3")  # which is not there
    assert page.get(NOW) == ["2", 1, False]
    assert page.get("document.getElementById('said').textContent") == "that take is not there"
    page.press("k", " ")
    page.wait("now.playing")
    page.press("j")
    assert page.get(NOW) == ["2", 1, True]
    page.press(" ", "ArrowRight")
    assert page.get("now.seconds") == pytest.approx(0.5, abs=0.3)


def test_a_click_on_a_picture_plays_from_there(page):
    page.click("#u0 .take:nth-child(2) .picture", across=0.5)
    page.wait("now.playing && now.seconds > 0.4")
    assert page.get(NOW) == ["0", 1, True]
    assert page.get("now.seconds") < 0.9
    page.click("#u0 .take:nth-child(2) button")
    assert page.get(NOW) == ["0", 1, False]


def test_utterances_are_sorted_by_any_measure_and_filtered_by_text(page):
    assert page.get(ORDER) == "120"
    choose(page, "of", 1)
    assert page.get(ORDER) == "210"
    choose(page, "by", -1)
    assert page.get(ORDER) == "012"
    wer = page.get("[...by.options].find(one => one.text === 'wer').value")
    choose(page, "by", wer)
    choose(page, "of", 2)
    assert page.get(ORDER) == "102"  # b has no wer of u0 and u2: they keep their order
    choose(page, "of", -1)
    assert page.get("all('.worst dd').map(one => one.dataset.value)") == ["0.75", "0.5", "0.25"]
    page.press("/", "W", "o", "R", "d", "s")
    assert page.get(ORDER) == "1"
    assert page.get("document.getElementById('count').textContent") == "1 of 3 utterances"
    page.press("Escape", "j")
    assert page.get(NOW)[0] == "1"


def test_systems_are_sorted_by_click_and_by_keyboard(page):
    names = "all('tbody th').map(one => one.textContent).join('')"
    head = "all('thead th')[1]"
    assert page.get(names) == "ab"
    page.get(f"{head}.querySelector('button').focus()")
    page.press("Enter")
    assert page.get(f"{head}.getAttribute('aria-sort')") == "ascending"
    page.press("Enter")
    assert page.get(f"{head}.getAttribute('aria-sort')") == "descending"
    assert page.get(names) == "ba"
    page.click("thead th:first-child button")
    assert page.get(names) == "ab"
    assert page.get(f"{head}.hasAttribute('aria-sort')") is False


def test_focus_can_be_seen(page):
    page.press("Tab")
    seen = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.get(seen) == "solid"
    for _ in range(12):
        page.press("Tab")
        assert page.get(f"document.activeElement.matches('article') || {seen}") in (True, "solid")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    page.resize(width, 800)
    assert page.get("document.documentElement.scrollWidth") <= width
    page.resize(1280, 900)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_in_dark(page, dark):
    page.dark(dark)
    levels = page.get(
        "['body', '.hint', '.note', '.scores dt', '.clock', '.hash'].map(name => {"
        " const light = colour => { const [r, g, b] = colour.match(/\\d+/g).map(x => {"
        " x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4 });"
        " return 0.2126 * r + 0.7152 * g + 0.0722 * b };"
        " const ink = light(getComputedStyle(document.querySelector(name)).color);"
        " const paper = light(getComputedStyle(document.documentElement).backgroundColor);"
        " return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) })"
    )
    assert min(levels) > 4.5  # WCAG 2.2, 1.4.3
    page.dark(False)
