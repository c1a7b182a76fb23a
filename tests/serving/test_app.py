"""The HTTP routes of `ttskit serve`, asked in this process, with voices that sound like nothing."""

import json
import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from tests.factory import run
from tests.serving.running import wait
from ttskit.formats import audio
from ttskit.serving.app import app
from ttskit.serving.desk import Desk, Limits
from ttskit.serving.speaker import Speaker
from ttskit.speaking.chain import Chain

TEXT = "Hello there, world. It cost five dollars. That is all there is to it."
HERE = "http://127.0.0.1"
LIMITS = Limits(characters=400, timeout=60, queue=8)


@pytest.fixture(scope="module")
def speakers(path):
    return {"tiny": Speaker(path, most=60), "other": Speaker(path)}


@pytest.fixture
def desk(speakers):
    return Desk(speakers, LIMITS, workers=2, threads=1)


@pytest.fixture
def client(desk):
    with TestClient(app(desk, hosts=("127.0.0.1",)), base_url=HERE) as client:
        yield client


@pytest.fixture
def said(path, tmp_path):
    """Return the file that `say` writes of a text."""

    def said(text, *options, suffix="wav"):
        output = tmp_path / f"said.{suffix}"
        assert run("say", text, "--voice", path, "-o", output, *options).exit_code == 0
        return output

    return said


def speech(client, input=TEXT, **fields):
    return client.post("/v1/audio/speech", json={"input": input, **fields})


def samples(content):
    return np.frombuffer(content, "<i2", offset=44)


def test_a_wav_has_the_samples_that_say_writes(client, said):
    answer = speech(client, response_format="wav", voice="tiny", model="tts-1")
    assert answer.headers["content-type"] == "audio/wav"
    expected, rate = soundfile.read(said(TEXT), dtype="int16")
    assert int.from_bytes(answer.content[24:28], "little") == rate
    assert samples(answer.content).tolist() == expected.tolist()


def test_fields_steer_what_options_of_say_steer(client, said):
    fields = {"speed": 1.5, "pitch": 2, "pitch_range": 2, "energy": -3, "pause": 1, "seed": 7}
    options = ["--rate", 1.5, "--pitch", 2, "--pitch-range", 2, "--energy", -3]
    options += ["--pause", 1, "--seed", 7]
    expected, _ = soundfile.read(said(TEXT, *options), dtype="int16")
    answer = speech(client, response_format="wav", **fields)
    assert samples(answer.content).tolist() == expected.tolist()


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_an_ogg_decodes_to_what_say_writes(client, said, suffix, tmp_path):
    expected, rate = audio.read(said(TEXT, suffix=suffix))
    (tmp_path / f"served.{suffix}").write_bytes(speech(client, response_format=suffix).content)
    found, found_rate = soundfile.read(tmp_path / f"served.{suffix}")
    assert found_rate == rate
    error = found[: len(expected)] - expected  # of opus, whose samples `say` rounds before
    assert np.square(error).mean() < 0.05 * np.square(expected).mean()


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_what_follows_the_header_is_what_say_writes(client, said, suffix):
    expected = said(TEXT, suffix=suffix).read_bytes()
    content = speech(client, response_format=suffix).content
    # the length of all is in the first 42 bytes of a flac, in the first frame of an mp3
    header = 42 if suffix == "flac" else expected.index(expected[:2], 2)
    assert header < 500
    assert content[:4] == expected[:4]
    assert content[header:] == expected[header:]


def test_mp3_is_the_usual_format(client):
    assert speech(client).headers["content-type"] == "audio/mpeg"


def test_pcm_has_24_kilohertz(client, said):
    expected, rate = soundfile.read(said(TEXT))
    content = speech(client, response_format="pcm").content
    assert len(content) // 2 == pytest.approx(len(expected) * 24_000 / rate, abs=1)


def test_events_hold_the_same_bytes(client):
    whole = speech(client, response_format="wav").content
    answer = speech(client, response_format="wav", stream_format="sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]
    assert b"".join(b64decode(event["audio"]) for event in events[:-1]) == whole
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]


def test_times_are_those_that_say_writes(client, said, tmp_path):
    said(TEXT, "--timing", tmp_path / "times.json")
    expected = json.loads((tmp_path / "times.json").read_text())
    assert client.post("/v1/timing", json={"input": TEXT}).json() == expected


@pytest.mark.parametrize(
    ("suffix", "media"),
    [("wav", "audio/wav"), ("flac", "audio/flac"), ("mp3", "audio/mpeg")],
)
def test_times_come_with_a_whole_file_on_request(client, said, suffix, media):
    answer = client.post("/v1/timing", json={"input": TEXT, "response_format": suffix}).json()
    assert b64decode(answer["audio"]) == said(TEXT, suffix=suffix).read_bytes()
    assert answer["media_type"] == media


def test_ssml_changes_to_the_voices_of_the_server_and_to_no_other(client, path):
    spoken = speech(client, "<speak>One. <voice name='other'>Two.</voice></speak>")
    assert spoken.status_code == 200
    for name in ("eve", path):
        refused = speech(client, f"<speak>One. <voice name='{name}'>Two.</voice></speak>")
        assert refused.status_code == 400
        assert refused.json()["error"]["message"].endswith("; there is tiny, other")


def test_a_server_plays_no_files(client):
    refused = speech(client, "<speak>One. <audio src='bell.wav'>Bell.</audio></speak>")
    assert refused.status_code == 400
    assert "no element <audio>, as no recordings" in refused.json()["error"]["message"]


def test_ssml_is_known_by_its_first_element(client, said):
    markup = '<speak>One<break time="300ms"/> two.</speak>'
    expected, _ = soundfile.read(said(markup, "--ssml"), dtype="int16")
    for fields in ({}, {"ssml": True}):
        answer = speech(client, markup, response_format="wav", **fields)
        assert samples(answer.content).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("fields", "status", "complaint"),
    [
        ({"input": ""}, 400, "there is no word to speak"),
        ({"input": "..."}, 400, "has no word to speak"),
        ({"input": "a" * 401}, 400, "401 characters, at most 400"),
        ({"input": 5}, 400, "input 5: needs a string"),
        ({"input": None}, 400, "needs the field input"),
        ({"input": "<speak><b>x</b></speak>"}, 400, "the text:1:8: no element <b>"),
        ({"input": '<speak>x<break time="61s"/>y</speak>'}, 400, "more than 60 s"),
        ({"input": "\ud800"}, 400, "the text"),
        ({"voice": "alloy"}, 400, "no voice 'alloy'; there is tiny, other"),
        ({"model": "gpt"}, 404, "no model 'gpt'; there is ttskit"),
        ({"speed": 11}, 400, "speed 11: needs a number from 0.1 to 10"),
        ({"speed": float("nan")}, 400, "speed nan: needs a number"),
        ({"speed": True}, 400, "speed True: needs a number"),
        ({"speed": "2"}, 400, "speed '2': needs a number"),
        ({"pitch": 30}, 400, "pitch 30: needs a number from -24 to 24"),
        ({"pause": -1}, 400, "pause -1: needs a number from 0 to 60"),
        ({"seed": -1}, 400, "seed -1: needs a whole number"),
        ({"seed": 0.5}, 400, "seed 0.5: needs a whole number"),
        ({"speaker": "ann"}, 400, "no speaker 'ann'"),
        ({"response_format": "aac"}, 400, "'aac': there is pcm, wav"),
        ({"stream_format": "x"}, 400, "'x': there is audio, sse"),
        ({"instructions": "cheerful"}, 400, "no voice follows instructions"),
        ({"colour": 1}, 400, "no field colour; there is input, model"),
    ],
)
@pytest.mark.parametrize("route", ["/v1/audio/speech", "/v1/timing"])
def test_what_cannot_be_spoken_is_refused_as_openai_words_errors(
    client, route, fields, status, complaint
):
    body = json.dumps({"input": TEXT, **fields})
    answer = client.post(route, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert complaint in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"seed": 1' + b"0" * 5000 + b"}", "application/json", 400),
        (b'{"input": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
        (b'{"input": "Hello."}', "text/plain", 415),
        (b"input=Hello.", "application/x-www-form-urlencoded", 415),
    ],
    ids=str,
)
def test_a_broken_body_is_refused(client, body, kind, status):
    answer = client.post("/v1/audio/speech", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_other_paths_and_methods_are_errors_as_json(client):
    assert client.get("/v1/audio/speech").status_code == 405
    assert client.get("/nothing").status_code == 404
    assert "GET /nothing" in client.get("/nothing").json()["error"]["message"]
    assert client.get("/v1/models/nothing").json()["error"]["message"].startswith("no model")
    assert client.get("/v1/voices/nothing").status_code == 404


def test_models_and_voices_are_listed_with_their_cards(client):
    models = client.get("/v1/models").json()["data"]
    assert [model["id"] for model in models][:2] == ["ttskit", "tts-1"]
    assert client.get("/v1/models/tts-1").json() == models[1]
    first, other = client.get("/v1/voices").json()["data"]
    assert (first["id"], other["id"]) == ("tiny", "other")
    assert first["card"].startswith("# Nobody")
    assert first["pitch"] is True
    assert "path" not in first
    assert client.get("/v1/voices/tiny").json() == first


def test_each_of_many_clients_hears_its_own_text(client, said):
    texts = [f"{TEXT} This is number {number}." for number in range(6)]
    expected = [soundfile.read(said(text), dtype="int16")[0].tolist() for text in texts]

    def found(text):
        return samples(speech(client, text, response_format="wav").content).tolist()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(found, texts)) == expected


def test_only_so_many_are_answered_at_once(client, desk, monkeypatch):
    go, begun = threading.Event(), threading.Semaphore(0)
    speak = Chain.speak

    def slow(*words):
        begun.release()
        go.wait(60)
        return speak(*words)

    monkeypatch.setattr(Chain, "speak", slow)
    with ThreadPoolExecutor(LIMITS.queue) as pool:
        answers = [pool.submit(speech, client) for _ in range(LIMITS.queue)]
        assert begun.acquire(timeout=60)
        wait(lambda: desk.present == LIMITS.queue)
        refused = speech(client)
        go.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["type"] == "server_error"
    assert desk.present == 0


def test_a_request_has_only_so_much_time(speakers, monkeypatch):
    stop = threading.Event()
    monkeypatch.setattr(Chain, "speak", lambda *_: stop.wait(60))
    desk = Desk(speakers, Limits(timeout=0.2))
    with TestClient(app(desk), base_url=HERE) as client:
        answer = speech(client)
        stop.set()
    assert answer.status_code == 504
    assert answer.json()["error"]["message"].startswith("it takes longer than 0.2 s")


def test_a_token_is_needed_but_for_the_page_and_health(desk):
    with TestClient(app(desk, token="secret"), base_url="http://example.org") as client:
        for path in ("/v1/models", "/v1/voices", "/metrics"):
            for header in ({}, {"Authorization": "Bearer other"}, {"Authorization": "secret"}):
                assert client.get(path, headers=header).status_code == 401
            right = {"Authorization": "Bearer secret"}
            assert client.get(path, headers=right).status_code == 200
        assert speech(client).status_code == 401
        assert speech(client).json()["error"]["type"] == "authentication_error"
        for path in ("/", "/page.js", "/page.css", "/base.css", "/health"):
            assert client.get(path).status_code == 200


def test_a_name_that_leads_here_from_another_site_is_refused(desk):
    hosts = ("localhost", "127.0.0.1", "[::1]")
    with TestClient(app(desk, hosts=hosts)) as client:
        for name, status in [
            ("evil.example", 400),
            ("127.0.0.1.evil.example:8000", 400),
            ("localhost:8000", 200),
            ("[::1]:8000", 200),
        ]:
            assert client.get("/health", headers={"Host": name}).status_code == status


def test_figures_count_answers_and_audio(client):
    speech(client)
    speech(client, "")
    text = client.get("/metrics").text
    assert 'ttskit_requests_total{route="/v1/audio/speech",status="200"} 1' in text
    assert 'ttskit_requests_total{route="/v1/audio/speech",status="400"} 1' in text
    assert f'ttskit_characters_total{{voice="tiny"}} {len(TEXT)}' in text
    assert "ttskit_first_audio_seconds_count 1" in text
    assert "ttskit_requests_present 0" in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_times_are_streamed_line_by_line_with_samples_and_then_as_a_whole(client):
    fields = {"input": TEXT, "response_format": "wav"}
    whole = client.post("/v1/timing", json=fields).json()
    answer = client.post("/v1/timing", json={**fields, "stream_format": "sse"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *lines, done = [json.loads(part[6:]) for part in answer.text.split("\n\n") if part]
    assert done == {"type": "speech.timing.done", **whole}
    assert [line["type"] for line in lines] == ["speech.timing.line"] * 3
    audio = b"".join(b64decode(line["samples"]) for line in lines)
    assert audio == b64decode(whole["audio"])[44:]
    assert " ".join(line["text"] for line in lines) == whole["text"].replace("\n", " ")
    starts = np.cumsum([0, *(line["seconds"] for line in lines)])
    found = [
        round(start + word["start"], 4)
        for start, line in zip(starts, lines, strict=False)
        for word in line["words"]
    ]
    assert found == [round(word["start"], 4) for word in whole["words"]]
