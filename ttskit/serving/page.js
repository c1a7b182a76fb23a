"use strict";

const at = (id) => document.getElementById(id);
const player = at("player");
const KEPT = 20; // texts of the history
const heard = new Map(); // settings of a text -> its speech, which the same server makes again
let voices = [];
let speech = null; // the one that is shown: {words, url, ...}
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

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (at("token").value) headers.Authorization = `Bearer ${at("token").value}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer.json();
  if (answer.status === 401) at("gate").hidden = false;
  const body = await answer.json().catch(() => null);
  throw new Error(body?.error?.message ?? `the server answers ${answer.status}`);
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
  if (!heard.has(key)) {
    const started = performance.now();
    busy(true);
    say("Speaking …");
    work = new AbortController();
    try {
      if (!voices.length) await list();
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify(wanted);
      const answer = await ask("v1/timing", { method: "POST", headers, body, signal: work.signal });
      keep(key, wanted, answer, (performance.now() - started) / 1000);
      at("gate").hidden = true;
    } catch (error) {
      say(error.name === "AbortError" ? "Stopped." : error.message, error.name !== "AbortError");
      return;
    } finally {
      work = null;
      busy(false);
    }
  }
  present(wanted, heard.get(key));
}

function keep(key, wanted, answer, took) {
  const bytes = Uint8Array.from(atob(answer.audio), (character) => character.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: answer.media_type }));
  heard.set(key, { ...answer, audio: null, url, took });
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
  at("result").hidden = false;
  mark(answer);
  player.src = answer.url;
  at("download").href = answer.url;
  at("download").download = `${wanted.voice}.${wanted.response_format}`;
  at("facts").textContent = `${answer.seconds.toFixed(1)} s, ${answer.words.length} words`;
  say(`Spoken in ${answer.took.toFixed(1)} s.`);
  player.play().catch((error) => {
    if (error.name === "NotAllowedError") say("Press play to hear it.");
  });
}

/* Write the text with a button for each word; words of one place, as of "$5", share theirs. */
function mark(answer) {
  const letters = Array.from(answer.text.replaceAll("\n", " ")); // spans count whole characters
  const parts = [];
  let done = 0;
  answer.marks = [];
  for (const word of answer.words) {
    const [begin, end] = word.span;
    const last = answer.marks.at(-1);
    if (last && begin < done) {
      last.stop = word.stop;
      continue;
    }
    parts.push(letters.slice(done, begin).join(""));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = letters.slice(begin, end).join("");
    button.addEventListener("click", () => {
      player.currentTime = word.start;
      player.play();
    });
    parts.push(button);
    answer.marks.push({ button, start: word.start, stop: word.stop });
    done = Math.max(done, end);
  }
  parts.push(letters.slice(done).join(""));
  at("words").replaceChildren(...parts);
}

function light() {
  const now = player.currentTime;
  for (const { button, start, stop } of speech?.marks ?? []) {
    const lit = !player.ended && now > 0 && now >= start && now < stop;
    if (lit && !button.classList.contains("lit")) button.scrollIntoView({ block: "nearest" });
    button.classList.toggle("lit", lit);
  }
  if (!player.paused) requestAnimationFrame(light);
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
  at("stop").hidden = !now;
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!work) speak(settings());
});
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
at("stop").addEventListener("click", () => work?.abort());
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
