"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const find = (id) => document.getElementById(id);
const PAGE = find("test").dataset.page;
const key = JSON.parse(atob(find("test").dataset.key)); // ASCII: whatever else is escaped in it
const pageOrder = all(".trial").map((trial) => ({ trial, clips: all(".clip", trial) }));
const DRAWS = 2000;

// Chance: the same name on the same page gets the same order.

/** Numbers from 0 to 1 that follow from a text (FNV-1a, then mulberry32). */
function chance(text) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled(values, random) {
  const order = [...values];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

// The votes of a listener, by number of the text and place of the clip in the page; 0 is none.

let session = null; // { listener, votes, ended }
let trials = []; // in the order of the listener
let current = 0;
let clip = null; // the one heard last

const place = (listener) => `ttskit ${PAGE} ${listener}`;
const none = () => pageOrder.map(({ clips }) => clips.map(() => 0));

function kept(listener) {
  try {
    const found = JSON.parse(localStorage.getItem(place(listener)));
    const fits = found.votes.length === pageOrder.length;
    if (fits && found.votes.every((row, at) => row.length === pageOrder[at].clips.length)) return found;
  } catch {
    // nothing is kept, or it can't be read: begin anew
  }
  return { votes: none(), ended: false };
}

function keep() {
  try {
    localStorage.setItem(place(session.listener), JSON.stringify(session));
    localStorage.setItem(`ttskit ${PAGE}`, session.listener);
  } catch {
    say("This browser keeps no votes: export them before you close the page.");
  }
}

const vote = (one) => session.votes[one.number][one.at];
const complete = (trial) => trial.clips.every((one) => vote(one));

function begin(listener) {
  session = { ...kept(listener), listener };
  const random = chance(`${PAGE} ${listener}`);
  trials = shuffled(pageOrder.keys(), random).map((number) => {
    const { trial, clips } = pageOrder[number];
    const arranged = shuffled(clips.keys(), random).map((at) => ({ number, at, element: clips[at] }));
    trial.querySelector(".clips").append(...arranged.map((one) => one.element));
    arranged.forEach(prepare);
    return { number, element: trial, clips: arranged };
  });
  keep();
  find("start").hidden = true;
  if (session.ended) return end();
  find("rating").hidden = false;
  const open = trials.findIndex((trial) => !complete(trial));
  enter(open < 0 ? trials.length - 1 : open);
}

/** Give a clip its letter, and the rating that it had. */
function prepare(one, index) {
  one.letter = String.fromCharCode(65 + index);
  one.element.querySelector("kbd").textContent = one.letter;
  one.element.querySelector("button").setAttribute("aria-label", `hear clip ${one.letter}`);
  one.element.querySelector("legend").textContent = `rating of clip ${one.letter}`;
  const grade = vote(one);
  for (const input of all("input", one.element)) {
    input.checked = Number(input.value) === grade;
    input.disabled = !grade;
  }
  tell(one, grade ? "hear again" : "not heard yet");
}

const tell = (one, text) => (one.element.querySelector(".state").textContent = text);
const say = (text) => (find("said").textContent = text);

// Hearing and rating.

function enter(index) {
  silence();
  trials[current].element.hidden = true;
  [current, clip] = [index, null];
  for (const one of trials[index].clips) one.element.classList.remove("here");
  for (const one of trials[index].clips) one.element.querySelector("audio").preload = "auto";
  trials[index].element.hidden = false;
  trials[index].element.focus({ preventScroll: true });
  scrollTo(0, 0);
  show();
}

function show() {
  const rated = trials.filter(complete).length;
  find("where").textContent = `text ${current + 1} of ${trials.length}`;
  find("done").value = rated;
  find("back").disabled = current === 0;
  const last = current === trials.length - 1;
  find("next").textContent = last ? "Finish" : "Next text";
  find("next").disabled = last ? rated < trials.length : !complete(trials[current]);
}

function silence() {
  if (!clip) return;
  clip.element.querySelector("audio").pause();
  clip.element.querySelector("button").setAttribute("aria-pressed", "false");
}

async function hear(one) {
  const audio = one.element.querySelector("audio");
  const again = one === clip && !audio.paused;
  silence();
  if (again) return;
  clip?.element.classList.remove("here");
  clip = one;
  one.element.classList.add("here");
  one.element.querySelector("button").setAttribute("aria-pressed", "true");
  audio.currentTime = 0;
  try {
    await audio.play();
    for (const input of all("input", one.element)) input.disabled = false;
    if (!vote(one)) tell(one, "not rated yet");
  } catch (error) {
    if (error.name !== "AbortError") tell(one, `can't be played: ${error.message}`);
  }
}

function rate(one, grade) {
  const input = all("input", one.element)[grade - 1];
  if (input.disabled || session.ended) return say("Hear it first.");
  input.checked = true;
  session.votes[one.number][one.at] = grade;
  tell(one, "hear again");
  say(`${one.letter}: ${grade}`);
  keep();
  show();
}

// The end: names, means, export.

function end() {
  silence();
  session.ended = true;
  keep();
  find("rating").hidden = true;
  find("end").hidden = false;
  const votes = session.votes.flat();
  const rated = votes.filter((grade) => grade).length;
  find("summary").textContent = `${session.listener}, you have rated ${rated} of ${votes.length} clips.`;
  const rows = means().sort((a, b) => b.mean - a.mean);
  find("means").replaceChildren(...rows.map(row));
  find("end").focus();
}

function row({ name, mean, low, high, count }) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  const interval = count > 1 ? `${low.toFixed(2)} to ${high.toFixed(2)}` : "–";
  const cells = [count ? mean.toFixed(2) : "–", interval, String(count)];
  line.append(head, ...cells.map(() => document.createElement("td")));
  [name, ...cells].forEach((text, at) => (line.children[at].textContent = text));
  return line;
}

function means() {
  return key.systems.map((name, system) => {
    const votes = session.votes.map((row, number) => row[key.texts[number][1].indexOf(system)]);
    return { name, ...summary(votes.filter((grade) => grade)) };
  });
}

/** The mean, and the interval in which it is in 95 % of resamples. */
function summary(values) {
  const random = chance(PAGE);
  const average = (of) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const resample = () => values.map(() => values[Math.floor(random() * values.length)]);
  const drawn = Array.from({ length: DRAWS }, () => average(resample())).sort((a, b) => a - b);
  const count = values.length;
  return { count, mean: count ? average(values) : -1, low: drawn[DRAWS * 0.025], high: drawn[DRAWS * 0.975 - 1] };
}

/** What a file of votes has: by text and system, and in which order the texts and clips came. */
function exported() {
  const name = (one) => key.systems[key.texts[one.number][1][one.at]];
  const texts = trials.map((trial) => {
    const rated = trial.clips.filter(vote).map((one) => [name(one), vote(one)]);
    return [key.texts[trial.number][0], Object.fromEntries(rated)];
  });
  const heard = trials.map((trial) => [key.texts[trial.number][0], trial.clips.map(name)]);
  const { listener } = session;
  const votes = Object.fromEntries(texts);
  return { page: PAGE, listener, systems: key.systems, votes, order: heard };
}

function download() {
  const link = document.createElement("a");
  const content = JSON.stringify(exported(), null, 1);
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = `votes-${session.listener.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
  link.click();
}

function clear() {
  localStorage.removeItem(place(session.listener));
  location.reload();
}

// Clicks and keys.

const owner = (element) => trials[current].clips.find((one) => one.element.contains(element));

function press(pressed) {
  const wanted = trials[current].clips[pressed.toUpperCase().charCodeAt(0) - 65];
  if (/^[a-z]$/i.test(pressed)) return wanted && hear(wanted);
  if (/^[1-5]$/.test(pressed)) return clip && rate(clip, Number(pressed));
  if (pressed === " ") return clip && hear(clip);
  find(pressed === "ArrowLeft" ? "back" : "next").click();
}

document.addEventListener("keydown", (event) => {
  if (find("rating").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const native = { " ": "button, summary, input", ArrowLeft: "input", ArrowRight: "input" };
  if (native[event.key] && event.target.matches(native[event.key])) return;
  if (!/^([a-z1-5 ]|Arrow(Left|Right))$/i.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

find("trials").addEventListener("click", (event) => {
  if (event.target.closest(".hear")) hear(owner(event.target));
});
find("trials").addEventListener("change", (event) => rate(owner(event.target), Number(event.target.value)));
for (const { clips } of pageOrder)
  for (const one of clips)
    one.querySelector("audio").addEventListener("ended", () =>
      one.querySelector("button").setAttribute("aria-pressed", "false"));
find("start").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("listener").value.trim();
  if (name) begin(name);
});
find("back").addEventListener("click", () => enter(current - 1));
find("next").addEventListener("click", () => (current < trials.length - 1 ? enter(current + 1) : end()));
find("stop").addEventListener("click", end);
find("export").addEventListener("click", download);
find("clear").addEventListener("click", clear);
try {
  find("listener").value = localStorage.getItem(`ttskit ${PAGE}`) ?? "";
} catch {
  // storage is forbidden: the name has to be typed
}
