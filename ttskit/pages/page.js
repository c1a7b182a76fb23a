"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const list = document.getElementById("utterances");
const filter = document.getElementById("filter");
const by = document.getElementById("by");
const of = document.getElementById("of");
const STEP = 0.5; // seconds that an arrow goes

// Hearing: one take at a time, all takes of an utterance at the same place.

const now = { article: null, number: 0, seconds: 0, playing: false };

const takes = (article) => all(".take", article);
const sound = (take) => take && take.querySelector("audio");
const anchors = (take) => (take.anchors ??= JSON.parse(take.dataset.anchors));

/** When in the take `to` is said what is said at `seconds` in the take `from`. */
function mapped(seconds, from, to) {
  let [a, b] = [anchors(from), anchors(to)];
  if (a.length !== b.length) [a, b] = [a, b].map((one) => [one[0], one.at(-1)]);
  let k = 1;
  while (k < a.length - 1 && seconds > a[k]) k++;
  const share = a[k] > a[k - 1] ? (seconds - a[k - 1]) / (a[k] - a[k - 1]) : 0;
  return b[k - 1] + Math.min(1, Math.max(0, share)) * (b[k] - b[k - 1]);
}

function pause() {
  const playing = now.article && sound(takes(now.article)[now.number]);
  if (playing && now.playing) now.seconds = playing.currentTime;
  playing?.pause();
  now.playing = false;
  show();
}

/** Go to a take of an utterance, at a time within it. */
function enter(article, number, seconds) {
  if (now.playing) pause();
  const heard = takes(article);
  if (!sound(heard[number])) number = heard.findIndex((take) => sound(take));
  const other = now.article !== article;
  if (other) now.article?.classList.remove("here", "playing");
  Object.assign(now, { article, number, seconds });
  article.classList.add("here");
  if (number < 0) return;
  if (other) for (const take of heard.filter(sound)) sound(take).preload = "auto";
  heard.forEach((take, at) => take.querySelector("button").setAttribute("aria-pressed", at === number));
  show();
}

async function play() {
  const playing = now.article && sound(takes(now.article)[now.number]);
  if (!playing) return;
  const length = anchors(takes(now.article)[now.number]).at(-1);
  if (now.seconds > length - 0.02) now.seconds = 0;
  playing.currentTime = now.seconds;
  now.playing = true;
  show();
  try {
    await playing.play();
    if (now.playing) follow();
  } catch (error) {
    if (error.name !== "AbortError") say(`can't play: ${error.message}`);
  }
}

function follow() {
  const playing = sound(takes(now.article)[now.number]);
  if (!now.playing || !playing) return;
  if (playing.ended) {
    now.seconds = 0;
    now.playing = false;
  } else {
    now.seconds = playing.currentTime;
    requestAnimationFrame(follow);
  }
  show();
}

/** Hear another take of the utterance, at the same place. */
function change(number) {
  const [from, to] = [takes(now.article)[now.number], takes(now.article)[number]];
  if (!sound(to)) return say("that take is not there");
  const playing = now.playing;
  if (playing) pause();
  enter(now.article, number, mapped(now.seconds, from, to));
  say(to.querySelector("button > span").textContent);
  if (playing) play();
}

function seek(seconds) {
  const [length, playing] = [anchors(takes(now.article)[now.number]).at(-1), now.playing];
  if (playing) pause();
  now.seconds = Math.min(length, Math.max(0, seconds));
  show();
  if (playing) play();
}

function show() {
  if (!now.article || now.number < 0) return;
  const from = takes(now.article)[now.number];
  now.article.classList.toggle("playing", now.playing);
  for (const take of takes(now.article).filter(sound)) {
    const seconds = mapped(now.seconds, from, take);
    const length = anchors(take).at(-1);
    take.querySelector(".at").style.left = `${(100 * seconds) / length}%`;
    const told = take === from ? `${seconds.toFixed(1)} of ${length.toFixed(1)} s` : "";
    take.querySelector(".clock").textContent = told;
  }
}

const say = (text) => (document.getElementById("said").textContent = text);

// Which utterances are shown, and in what order.

/** How bad an utterance is by the measure that is chosen, of the take that is chosen. */
function badness(article) {
  const rows = JSON.parse(article.dataset.bad);
  const wanted = of && Number(of.value) >= 0 ? [rows[of.value]] : rows;
  const known = wanted.map((row) => row?.[by.value]).filter((bad) => bad !== null && bad !== undefined);
  return known.length ? Math.max(...known) : -Infinity;
}

function sort() {
  const [articles, column] = [all("article", list), Number(by.value)];
  const keys = new Map(articles.map((one) => [one, column < 0 ? 0 : badness(one)]));
  // unknown less unknown is no number: then, too, the order of the corpus decides
  const order = (a, b) => keys.get(b) - keys.get(a) || a.dataset.row - b.dataset.row;
  articles.sort(order);
  list.append(...articles);
  mark();
}

/** Stress the score that is sorted by, and of each utterance the worst one. */
function mark() {
  for (const article of all("article", list)) {
    const rows = JSON.parse(article.dataset.bad).map((row) => row[by.value] ?? -Infinity);
    const worst = Math.max(...rows);
    takes(article).forEach((take, number) => {
      for (const score of all("[data-column]", take)) {
        const chosen = score.dataset.column === by.value;
        score.classList.toggle("by", chosen);
        score.classList.toggle("worst", chosen && rows.length > 1 && rows[number] === worst);
      }
    });
  }
}

function sift() {
  const wanted = filter.value.trim().toLowerCase();
  const articles = all("article", list);
  for (const one of articles) {
    const told = all("h3, .text, .note", one).map((part) => part.textContent).join("\n");
    one.hidden = !told.toLowerCase().includes(wanted);
  }
  const shown = articles.filter((one) => !one.hidden).length;
  const count = document.getElementById("count");
  count.textContent = wanted ? `${shown} of ${count.dataset.of} utterances` : `${count.dataset.of} utterances`;
}

// The table of systems.

function arrange(head) {
  const [table, column] = [head.closest("table"), head.cellIndex];
  const worse = { lower: "ascending", higher: "descending" }[head.dataset.better] ?? "ascending";
  const turned = { ascending: "descending", descending: "ascending" };
  const way = turned[head.getAttribute("aria-sort")] ?? worse;
  const value = (row) => row.cells[column].dataset.value ?? (column ? null : row.cells[0].textContent);
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null); // what is unknown comes last
    const found = column ? x - y : x.localeCompare(y);
    return way === "ascending" ? found : -found;
  };
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way);
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(order));
}

// Keys and clicks.

/** The utterance that is heard, or else the first one that is in sight. */
function current() {
  if (now.article && !now.article.hidden) return now.article;
  const shown = all("article:not([hidden])");
  return shown.find((one) => one.getBoundingClientRect().bottom > innerHeight / 3) ?? shown[0];
}

function step(by) {
  const shown = all("article:not([hidden])");
  const found = current();
  const next = now.article === found ? shown[shown.indexOf(found) + by] : found;
  if (!next) return;
  const playing = now.playing;
  enter(next, now.number, 0);
  next.scrollIntoView({ block: "start" });
  next.focus({ preventScroll: true });
  if (playing) play();
}

function press(key) {
  if (key === "/") return filter.focus();
  if (key === "j") return step(1);
  if (key === "k") return step(-1);
  const article = current();
  if (!article) return;
  if (now.article !== article) enter(article, now.number, 0);
  if (key === " ") return now.playing ? pause() : play();
  if (key === "ArrowLeft") return seek(now.seconds - STEP);
  if (key === "ArrowRight") return seek(now.seconds + STEP);
  if (takes(article)[key - 1]) change(key - 1);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (target.matches("input, select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  const native = { " ": "button, summary, audio", ArrowLeft: ".scroll, audio", ArrowRight: ".scroll, audio" };
  if (native[event.key] && target.matches(native[event.key])) return;
  if (!/^([1-9jk /]|Arrow(Left|Right))$/.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

document.addEventListener("click", (event) => {
  const take = event.target.closest(".take");
  const head = event.target.closest("thead th[data-better], thead th:first-child");
  if (head && event.target.closest("button")) return arrange(head);
  if (!sound(take)) return;
  const [article, number] = [take.closest("article"), takes(take.closest("article")).indexOf(take)];
  const picture = event.target.closest(".picture");
  if (picture) {
    const box = picture.getBoundingClientRect();
    enter(article, number, ((event.clientX - box.left) / box.width) * anchors(take).at(-1));
    play();
  } else if (event.target.closest("button")) {
    if (now.article !== article) enter(article, number, 0);
    else if (now.number !== number) change(number);
    else if (now.playing) return pause();
    if (!now.playing) play();
  }
});

filter.addEventListener("input", sift);
for (const choice of [by, of]) choice?.addEventListener("change", sort);
for (const player of all("audio")) player.controls = false; // there without this script
if (by) mark();
