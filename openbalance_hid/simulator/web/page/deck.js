// The deck in the browser: draws what /deck.json describes, shows the pictures that /events sends, and sends fingers back.
// It knows nothing about tiles: a tap or a hold is for the daemon to understand.
"use strict";

const query = location.search;
const find = (id) => document.getElementById(id);
const page = { deck: find("deck"), connection: find("connection"), note: find("note") };
const state = { geometry: null, socket: null, tries: 0, timer: 0, asking: false, keys: [], strip: null, scenarios: new Map() };
const held = new Map(); // what is down -> how to let it go

const HINT = "Tap opens the page, hold 2 s refreshes";
const PEDAL_HINT = "Press refreshes, hold 2 s opens the page"; // it shows nothing that could be looked at first
const RETRY_MS = [250, 500, 1000, 2000, 4000]; // the last one for ever
const ROOMY_KEY_PX = 118; // CSS pixels, like all below: larger, the deck would no longer look like a thing on a desk
const SMALL_KEY_PX = 44; // in a flat window the page scrolls rather than making keys smaller than a fingertip
const PEDAL_PX = 190;
const PEDAL_TALL = 1.2;
const AROUND_PX = 240; // heading, lines and choices above and below the deck
const NARROW_PX = 560; // below it the body gets slimmer, so that the keys stay large enough for a finger
const LONG_TOUCH_MS = 500;

function element(name, className, parent) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (parent) parent.append(made);
  return made;
}

function send(word) {
  if (state.socket && state.socket.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(word));
}

// --- fingers: pointer, keyboard and screen reader ------------------------------------------------------------------------

function lift(what) {
  const letGo = held.get(what);
  held.delete(what);
  if (letGo) letGo();
}

function liftAll() {
  for (const what of [...held.keys()]) lift(what);
}

// Makes `button` something to hold: `down` and `up` are called in pairs, whatever ends the press.
function holdable(button, down, up) {
  const begin = (what) => {
    if (held.has(what)) return;
    button.classList.add("down");
    held.set(what, () => {
      button.classList.remove("down");
      up();
    });
    down();
  };
  const pointer = (event) => `${button.dataset.part} pointer ${event.pointerId}`;
  const keyboard = `${button.dataset.part} keyboard`;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    begin(pointer(event));
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    button.addEventListener(name, (event) => lift(pointer(event)));
  }
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) begin(keyboard);
  });
  button.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    lift(keyboard);
  });
  button.addEventListener("blur", () => lift(keyboard));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => {
    if (event.detail !== 0) return; // a finger or a mouse: told above
    begin(keyboard); // a screen reader's own "press": it has no down and up
    setTimeout(() => lift(keyboard), 60);
  });
}

function arrows(event) {
  const at = state.keys.indexOf(event.target);
  const { cols } = state.geometry;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -cols, ArrowDown: cols }[event.key];
  if (at < 0 || !step) return;
  event.preventDefault();
  const sideways = Math.abs(step) === 1 && cols > 1;
  const grid = state.geometry.cols * state.geometry.rows;
  const next = at + step;
  if (sideways && at < grid && Math.floor(next / cols) !== Math.floor(at / cols)) return;
  if (state.keys[next]) state.keys[next].focus();
}

// --- the body ------------------------------------------------------------------------------------------------------------

function makeKey(number, parent, className) {
  const button = element("button", className, parent);
  button.type = "button";
  button.dataset.part = `key ${number}`;
  button.dataset.key = number;
  if (state.geometry.key.width) element("img", "", button).alt = "";
  else element("span", "", button);
  holdable(button, () => send({ type: "press", key: number }), () => send({ type: "release", key: number }));
  state.keys[number] = button;
  return button;
}

function makeDial(number, parent) {
  const dial = element("div", "dial", parent);
  dial.setAttribute("role", "group");
  dial.setAttribute("aria-label", `Dial ${number + 1}`);
  let angle = 0;
  const turn = (steps) => {
    angle += steps * 15;
    knob.style.setProperty("--turn", `${angle}deg`);
    send({ type: "turn", dial: number, steps });
  };
  const nudge = (text, label, steps) => {
    const button = element("button", "nudge", dial);
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => turn(steps));
  };
  nudge("‹", `Turn dial ${number + 1} left`, -1);
  const knob = element("button", "knob", dial);
  nudge("›", `Turn dial ${number + 1} right`, 1);
  knob.type = "button";
  knob.dataset.part = `dial ${number}`;
  knob.setAttribute("aria-label", `Push dial ${number + 1}`);
  element("i", "", knob);
  holdable(
    knob,
    () => send({ type: "push", dial: number, down: true }),
    () => send({ type: "push", dial: number, down: false }),
  );
  knob.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!steps) return;
    event.preventDefault();
    turn(steps);
  });
  dial.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      turn(event.deltaY > 0 || event.deltaX > 0 ? 1 : -1);
    },
    { passive: false },
  );
}

function makeStrip(parent, { width, height, touch }, dials) {
  const strip = element("div", touch ? "strip touch" : "strip", parent);
  const picture = element("img", "", strip);
  picture.alt = touch ? "" : "Screen";
  state.strip = picture;
  if (!touch) return;
  const cells = element("div", "cells", strip);
  for (let cell = 0; cell < dials; cell += 1) {
    const button = element("button", "", cells);
    let began = 0;
    let at = null;
    const middle = { x: Math.round(((cell + 0.5) * width) / dials), y: Math.round(height / 2) };
    button.type = "button";
    button.dataset.part = `cell ${cell}`;
    button.setAttribute("aria-label", `Touch strip, ${cell + 1} of ${dials}`);
    button.addEventListener("pointerdown", (event) => {
      const box = strip.getBoundingClientRect();
      const inside = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
      at = {
        x: inside((event.clientX - box.left) / box.width, width),
        y: inside((event.clientY - box.top) / box.height, height),
      };
    });
    holdable(
      button,
      () => {
        began = performance.now();
      },
      () => {
        send({ type: "touch", ...(at || middle), long: performance.now() - began >= LONG_TOUCH_MS });
        at = null;
      },
    );
  }
}

function build(geometry) {
  liftAll();
  Object.assign(state, { geometry, keys: [], strip: null });
  const { deck } = page;
  deck.replaceChildren();
  deck.className = geometry.key.width ? "" : "pedal";
  if (geometry.model.name === "neo") deck.classList.add("pale"); // the only one sold with a white body
  const grid = geometry.cols * geometry.rows;
  const keys = element("div", "keys", deck);
  for (let key = 0; key < grid; key += 1) makeKey(key, keys, "key");
  const lower = geometry.strip && !geometry.strip.touch ? element("div", "lower", deck) : deck;
  const touchKeys = (from, to) => {
    for (let key = from; key < to; key += 1) makeKey(key, lower, "key touch-key");
  };
  const half = grid + Math.ceil(geometry.touch_keys / 2);
  touchKeys(grid, half);
  if (geometry.strip) makeStrip(lower, geometry.strip, geometry.dials);
  touchKeys(half, grid + geometry.touch_keys);
  if (geometry.dials) {
    const dials = element("div", "dials", deck);
    for (let dial = 0; dial < geometry.dials; dial += 1) makeDial(dial, dials);
  }
  find("hint").textContent = geometry.key.width ? HINT : PEDAL_HINT;
  find("title").textContent = geometry.model.title;
  find("serial").textContent = `virtual ${geometry.serial}`;
  document.title = `${geometry.model.title} (virtual)`;
  for (const { key, text } of geometry.keys) showText(key, text);
  fit();
}

// Sizes the deck to the window. A key takes a whole number of device pixels per picture pixel where that is not much smaller:
// then the picture is as sharp as on the panel. Next best are half steps, which at least blur every stroke alike.
function fit() {
  const { geometry } = state;
  if (!geometry) return;
  const { cols, rows, key, strip, dials } = geometry;
  const pixel = 1 / (window.devicePixelRatio || 1);
  const snap = (length) => Math.max(pixel, Math.floor(length / pixel) * pixel);
  const room = find("desk").clientWidth;
  const narrow = room < NARROW_PX;
  const gapShare = narrow ? 0.15 : 0.26;
  const padShare = narrow ? 0.3 : 0.42;
  const tall = key.width ? key.height / key.width : PEDAL_TALL;
  const below = (strip ? 0.85 : 0) + (dials ? 0.85 : 0);
  const most = key.width ? Math.max(ROOMY_KEY_PX, key.width) : PEDAL_PX;
  const across = (room - 2) / (cols + (cols - 1) * gapShare + 2 * padShare);
  const down = (window.innerHeight - AROUND_PX) / (rows * tall + (rows - 1) * gapShare + 2 * padShare + below);
  const size = Math.min(most, across, Math.max(down, SMALL_KEY_PX));
  const largest = Math.min(size * 1.07, across);
  const stepped = (step) => (key.width ? Math.floor(largest / (key.width * step)) * key.width * step : 0);
  const exact = [stepped(pixel), stepped(0.5)].find((width) => width > 0 && width >= size * (narrow ? 0.92 : 0.8));
  const k = exact || snap(size);
  const whole = exact === stepped(pixel);
  const set = (name, value) => page.deck.style.setProperty(name, typeof value === "number" ? `${value}px` : value);
  page.deck.classList.toggle("crisp", whole && k <= key.width); // larger pixels than that would show their corners
  const gap = snap(k * gapShare);
  const keysWidth = cols * k + (cols - 1) * gap;
  const panel = !strip || strip.touch ? keysWidth : Math.min(keysWidth * 0.52, (strip.width * k) / key.width);
  set("--cols", String(cols));
  set("--k", k);
  set("--kh", exact ? (k / key.width) * key.height : snap(k * tall));
  set("--gap", gap);
  set("--pad", snap(k * padShare));
  set("--strip-w", snap(panel));
  if (strip) set("--strip-h", snap((panel * strip.height) / strip.width));
}

// --- what the server says ------------------------------------------------------------------------------------------------

function showText(key, text) {
  const button = state.keys[key];
  if (!button) return;
  button.setAttribute("aria-label", text || `Key ${key + 1}`);
  const words = button.querySelector("span");
  if (words) words.textContent = text;
}

const url = (png) => `data:image/png;base64,${png}`;

const hear = {
  key({ key, text, png }) {
    showText(key, text);
    const picture = state.keys[key] && state.keys[key].querySelector("img");
    if (picture && png) picture.src = url(png);
  },
  strip({ png }) {
    if (state.strip && png) state.strip.src = url(png);
  },
  brightness({ percent }) {
    // People call 70 % full; below it the panel fades, and at 0 it is off.
    page.deck.style.setProperty("--panel", percent <= 0 ? "0" : String(Math.min(1, 0.25 + percent * 0.0108)));
  },
  scenario({ name }) {
    find("scenario").value = name;
    find("scenario-about").textContent = state.scenarios.get(name) || "";
  },
  note({ text }) {
    page.note.replaceChildren();
    const [before, link] = text.split(/(?=https:\/\/openrouter\.ai\/\S*$)/);
    page.note.append(before);
    if (!link) return;
    const anchor = element("a", "", page.note);
    Object.assign(anchor, { href: link, textContent: link, target: "_blank", rel: "noreferrer noopener" });
  },
  deck({ deck }) {
    controls(deck);
    build(deck);
  },
};

function chooser(id, rows, chosen) {
  const select = find(id);
  find(`${id}-choice`).hidden = rows.length === 0;
  select.replaceChildren();
  for (const [value, text] of rows) {
    const option = element("option", "", select);
    option.value = value;
    option.textContent = text;
  }
  select.value = chosen;
}

function controls(description) {
  const { scenarios, models } = description;
  state.scenarios = new Map(scenarios.map((row) => [row.name, row.title]));
  const words = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
  chooser("scenario", scenarios.map((row) => [row.name, words(row.name)]), description.scenario);
  chooser("model", models.map((row) => [row.name, row.title]), description.model.name);
  find("controls").hidden = scenarios.length + models.length === 0;
  if (scenarios.length) hear.scenario({ name: description.scenario });
}

// --- the connection ------------------------------------------------------------------------------------------------------

function connection(text, good = false) {
  page.connection.textContent = text;
  page.connection.classList.toggle("good", good);
  page.deck.classList.toggle("lost", text !== "" && !good);
}

async function describe() {
  try {
    const answer = await fetch(`deck.json${query}`, { cache: "no-store" });
    if (answer.status === 403) {
      connection("This address is no longer valid. Open the one that openbalance-hid has printed.");
      return null;
    }
    if (answer.ok) {
      const description = await answer.json();
      controls(description);
      return description;
    }
  } catch {
    // not there: the caller tries again
  }
  lost();
  return null;
}

function lost() {
  liftAll();
  state.socket = null;
  connection("Connection lost. Trying again…");
  const wait = RETRY_MS[Math.min(state.tries, RETRY_MS.length - 1)];
  state.tries += 1;
  clearTimeout(state.timer);
  state.timer = setTimeout(connect, wait * (0.8 + Math.random() * 0.4));
}

async function connect() {
  clearTimeout(state.timer);
  if (state.asking) return;
  state.asking = true;
  const description = await describe().finally(() => (state.asking = false));
  if (!description) return;
  const known = state.geometry;
  if (!known || known.serial !== description.serial || known.model.name !== description.model.name) build(description);
  const socket = new WebSocket(`ws://${location.host}/events${query}`);
  state.socket = socket;
  socket.addEventListener("open", () => {
    connection(state.tries ? "Connected again" : "", true);
    if (state.tries) setTimeout(() => page.connection.classList.contains("good") && connection(""), 2000);
    state.tries = 0;
  });
  socket.addEventListener("message", (event) => {
    const word = JSON.parse(event.data);
    if (Object.hasOwn(hear, word.type)) hear[word.type](word);
  });
  socket.addEventListener("close", () => state.socket === socket && lost());
}

find("scenario").addEventListener("change", (event) => send({ type: "scenario", name: event.target.value }));
find("model").addEventListener("change", (event) => send({ type: "model", name: event.target.value }));
page.deck.addEventListener("keydown", arrows);
window.addEventListener("resize", fit);
window.addEventListener("blur", liftAll);
window.addEventListener("pagehide", liftAll);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) liftAll();
  else if (!state.socket && state.tries) connect();
});
connect();
