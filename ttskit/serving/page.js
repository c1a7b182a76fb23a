"use strict";

const at = (id) => document.getElementById(id);
const player = at("player");
const KEPT = 20; // texts of the history
const heard = new Map(); // settings of a text -> its speech, which the same server makes again
let voices = [];
let speech = null; // the one that is shown: {words, url, ...}
let stream = null; // what plays it while it is made
let work = null; // aborts the request at hand

const store = {
  read(key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  },
  write(key, value) {
    try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* it lasts as long as the page */ }
  },
};
let past = store.read("ttskit-history") ?? [];

function say(text, wrong = false) {
  at("state").textContent = text;
  at("state").classList.toggle("wrong", wrong);
}

async function answered(path, options = {}) {
  const headers = { ...options.headers };
  if (at("token").value) headers.Authorization = `Bearer ${at("token").value}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) at("gate").hidden = false;
  const body = await answer.json().catch(() => null);
  throw new Error(body?.error?.message ?? `the server answers ${answer.status}`);
}

async function ask(path) {
  return (await answered(path)).json();
}

/* Yield the events of an answer as they come. */
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

async function list() {
  voices = (await ask("v1/voices")).data;
  at("voice").replaceChildren(...voices.map((voice) => new Option(`${voice.id} (${voice.language})`, voice.id)));
  choose();
}

function choose() {
  const voice = voices.find((one) => one.id === at("voice").value);
  if (!voice) return;
  at("card").textContent = voice.card;
  at("pitch").disabled = !voice.pitch;
  if (!voice.pitch) at("pitch").value = 0;
  at("speaker").replaceChildren(...voice.speakers.map((name) => new Option(name || "the only one", name)));
  at("who").hidden = voice.speakers.length < 2;
  show();
}

function show() {
  at("rate-shown").textContent = `× ${Number(at("rate").value).toFixed(2)}`;
  const pitch = Number(at("pitch").value);
  at("pitch-shown").textContent = at("pitch").disabled ? "fixed" : `${pitch > 0 ? "+" : ""}${pitch} st`;
}

function settings() {
  return {
    input: at("text").value,
    voice: at("voice").value,
    speaker: at("speaker").value,
    speed: Number(at("rate").value),
    pitch: Number(at("pitch").value),
    response_format: at("format").value,
  };
}

function restore(wanted) {
  at("text").value = wanted.input;
  if (voices.some((voice) => voice.id === wanted.voice)) at("voice").value = wanted.voice;
  choose();
  at("speaker").value = wanted.speaker;
  at("rate").value = wanted.speed;
  at("pitch").value = wanted.pitch;
  at("format").value = wanted.response_format;
  show();
}

async function speak(wanted) {
  const key = JSON.stringify(wanted);
  stream?.close();
  stream = null;
  if (!heard.has(key)) {
    busy(true);
    say("Speaking …");
    work = new AbortController();
    try {
      if (!voices.length) await list();
      await hear(key, wanted);
      at("gate").hidden = true;
    } catch (error) {
      stream?.close();
      stream = null;
      say(error.name === "AbortError" ? "Stopped." : error.message, error.name !== "AbortError");
      return;
    } finally {
      work = null;
      busy(false);
    }
  }
  present(wanted, heard.get(key));
}

/* Ask for a text, and play each line as soon as it comes. */
async function hear(key, wanted) {
  const started = performance.now();
  const took = () => (performance.now() - started) / 1000;
  const answer = await answered("v1/timing", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wanted, stream_format: "sse" }),
    signal: work.signal,
  });
  player.pause();
  stream = new Stream();
  const sounds = await stream.begin();
  speech = { marks: [], pauses: [], seconds: 0 };
  at("words").replaceChildren();
  for await (const event of events(answer)) {
    if (event.type === "speech.timing.done") {
      keep(key, wanted, event, speech, took());
      if (!sounds) stream.close();
      return;
    }
    const coded = new Int16Array(bytes(event.samples).buffer);
    mark(event);
    at("result").hidden = false;
    if (!speech.first) {
      speech.first = took();
      at("player").hidden = at("download").hidden = true;
      at("facts").textContent = "";
      say(`First sound after ${speech.first.toFixed(1)} s.`);
      requestAnimationFrame(light);
    }
    stream.add(Float32Array.from(coded, (value) => value / 32768), event.sample_rate);
  }
  throw new Error("The server has stopped amid the speech.");
}

function keep(key, wanted, answer, { marks, pauses }, took) {
  const url = URL.createObjectURL(new Blob([bytes(answer.audio)], { type: answer.media_type }));
  heard.set(key, { ...answer, audio: null, url, took, marks, pauses, nodes: [...at("words").childNodes] });
  if (heard.size > KEPT) {
    const [oldest, speech] = heard.entries().next().value;
    URL.revokeObjectURL(speech.url);
    heard.delete(oldest);
  }
  past = [wanted, ...past.filter((one) => JSON.stringify(one) !== key)].slice(0, KEPT);
  store.write("ttskit-history", past);
  remember();
}

function present(wanted, answer) {
  speech = answer;
  at("result").hidden = at("player").hidden = at("download").hidden = false;
  at("words").replaceChildren(...answer.nodes);
  player.src = answer.url;
  at("download").href = answer.url;
  at("download").download = `${wanted.voice}.${wanted.response_format}`;
  at("facts").textContent = `${answer.seconds.toFixed(1)} s, ${answer.words.length} words`;
  say(`Spoken in ${answer.took.toFixed(1)} s.`);
  if (!stream || stream.closed) play(0);
}

/* Let the player go on from some time, in place of the stream. */
function play(time) {
  stream?.close();
  player.currentTime = time;
  player.play().catch((error) => {
    if (error.name === "NotAllowedError") say("Press play to hear it.");
  });
}

/* Add a line to the text, with a button for each word; words of one place, as of "$5", share one. */
function mark(line) {
  const letters = Array.from(line.text.replaceAll("\n", " ")); // spans count whole characters
  const parts = at("words").childNodes.length ? [" "] : [];
  let done = 0;
  const from = speech.seconds, first = speech.marks.length;
  for (const word of line.words) {
    const [begin, end] = word.span;
    if (speech.marks.length > first && begin < done) {
      speech.marks.at(-1).stop = from + word.stop;
      continue;
    }
    parts.push(letters.slice(done, begin).join(""));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = letters.slice(begin, end).join("");
    button.addEventListener("click", () => {
      if (stream && !stream.closed && player.hidden) stream.seek(from + word.start);
      else play(from + word.start);
    });
    parts.push(button);
    speech.marks.push({ button, start: from + word.start, stop: from + word.stop });
    done = Math.max(done, end);
  }
  parts.push(letters.slice(done).join(""));
  at("words").append(...parts);
  speech.pauses.push({ start: from, stop: from + (line.words[0]?.start ?? 0) });
  speech.seconds += line.seconds;
}

function light() {
  const streams = stream && !stream.closed;
  const now = streams ? stream.now : player.currentTime;
  const over = !streams && player.ended;
  for (const { button, start, stop } of speech?.marks ?? []) {
    const lit = !over && now > 0 && now >= start && now < stop;
    if (lit && !button.classList.contains("lit")) button.scrollIntoView({ block: "nearest" });
    button.classList.toggle("lit", lit);
  }
  if (streams && speech.url) handOver(now);
  busy(work !== null);
  if ((stream && !stream.closed) || !player.paused) requestAnimationFrame(light);
}

/* Once all has come the player goes on, in the next pause, where no seam is heard. */
function handOver(now) {
  const pause = speech.pauses.find(({ start, stop }) => start > 0 && now >= start && now < stop);
  if (pause) play(now);
  else if (now >= speech.seconds - 0.001) stream.close();
}

function remember() {
  at("past").hidden = !past.length;
  at("history").replaceChildren(...past.map((wanted) => {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    button.appendChild(document.createElement("span")).textContent = wanted.input;
    const pitch = wanted.pitch ? `, ${wanted.pitch > 0 ? "+" : ""}${wanted.pitch} st` : "";
    button.appendChild(document.createElement("small")).textContent =
      `${wanted.voice}, × ${wanted.speed}${pitch}, ${wanted.response_format}`;
    button.addEventListener("click", () => {
      restore(wanted);
      speak(wanted);
    });
    return item;
  }));
}

function busy(now) {
  at("speak").disabled = now;
  at("stop").hidden = !now && (!stream || stream.closed);
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!work) speak(settings());
});
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
at("stop").addEventListener("click", () => {
  work?.abort();
  stream?.close();
});
player.addEventListener("play", () => {
  if (stream && !stream.closed) play(stream.now);
});
at("clear").addEventListener("click", () => {
  past = [];
  store.write("ttskit-history", past);
  remember();
});
at("voice").addEventListener("change", choose);
at("token").addEventListener("change", () => list().then(() => say(""), (error) => say(error.message, true)));
for (const id of ["rate", "pitch"]) at(id).addEventListener("input", show);
for (const event of ["play", "seeked", "ended", "pause"]) player.addEventListener(event, light);

remember();
show();
list().catch((error) => say(error.message, true));
