// The deck in the browser: its state, and its elements, built from /deck.json. Input is in input.js, messages are in connection.js.
// Tiles and gestures are unknown here: the page only sends presses, turns and touches.
"use strict";

const query = location.search;
const find = (id) => document.getElementById(id);
const page = { deck: find("deck"), connection: find("connection"), note: find("note"), explain: find("explain") };
const state = {
  geometry: null,
  socket: null,
  waiting: [],
  tries: 0,
  timer: 0,
  requesting: false,
  keys: [],
  cells: [],
  strip: null,
  explained: null,
  scenarios: new Map(),
};

const HINT = "Tap a key to act, hold it for 2 s to refresh";
const PEDAL_HINT = "Press to refresh, hold 2 s to open the page"; // the other way round: a pedal has no display
const ROOMY_KEY_PX = 118; // CSS pixels, like all sizes below; about the size of a real deck on a desk
const SMALL_KEY_PX = 44; // in a low window the page scrolls instead of shrinking keys below this
const PEDAL_PX = 190;
const PEDAL_TALL = 1.2;
const AROUND_PX = 270; // heading, lines and choices above and below the deck
const NARROW_PX = 560; // below this width the body gets slimmer, so that keys stay large enough to tap
const LONG_TOUCH_MS = 500;
const STRIP_COLUMNS_NARROW = 2; // cells side by side where the window is too narrow for the whole strip

function element(name, className, parent) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (parent) parent.append(made);
  return made;
}


function makeKey(number, parent, className) {
  const button = element("button", className, parent);
  button.type = "button";
  button.dataset.part = `key ${number}`;
  button.dataset.key = number;
  if (state.geometry.key.width) element("img", "", button).alt = "";
  else element("span", "", button);
  pressable(button, () => send({ type: "press", key: number }), () => send({ type: "release", key: number }));
  explained(button);
  state.keys[number] = button;
  return button;
}

// Shows the words of a part on hover, focus and press, until another part is explained.
function explained(button) {
  const show = () => explain(button);
  for (const name of ["pointerenter", "pointerdown", "focus"]) button.addEventListener(name, show);
}

function explain(button) {
  state.explained = button;
  page.explain.textContent = button.getAttribute("aria-label") || "";
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
  const turnButton = (text, label, steps) => {
    const button = element("button", "turn", dial);
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => turn(steps));
    explained(button);
  };
  turnButton("‹", `Turn dial ${number + 1} left`, -1);
  const knob = element("button", "knob", dial);
  turnButton("›", `Turn dial ${number + 1} right`, 1);
  knob.type = "button";
  knob.dataset.part = `dial ${number}`;
  knob.setAttribute("aria-label", `Push dial ${number + 1}`);
  element("i", "", knob);
  explained(knob);
  pressable(
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
  if (!touch) {
    state.strip = element("img", "", strip);
    state.strip.alt = "";
    strip.setAttribute("role", "img");
    showScreen("");
    explained(strip);
    return;
  }
  // One button a cell, each with its part of the picture: in a narrow window the cells wrap and stay readable.
  state.strip = strip;
  strip.style.setProperty("--cells", String(dials));
  const cells = element("div", "cells", strip);
  for (let cell = 0; cell < dials; cell += 1) {
    const button = element("button", "", cells);
    let startMs = 0;
    let at = null;
    const middle = { x: Math.round(((cell + 0.5) * width) / dials), y: Math.round(height / 2) };
    button.style.setProperty("--cell", String(cell));
    button.type = "button";
    button.dataset.part = `cell ${cell}`;
    button.setAttribute("aria-label", `Touch strip, ${cell + 1} of ${dials}`);
    state.cells[cell] = button;
    explained(button);
    button.addEventListener("pointerdown", (event) => {
      const box = button.getBoundingClientRect();
      const inside = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
      at = {
        x: inside((cell + (event.clientX - box.left) / box.width) / dials, width),
        y: inside((event.clientY - box.top) / box.height, height),
      };
    });
    pressable(
      button,
      () => {
        startMs = performance.now();
      },
      () => {
        send({ type: "touch", ...(at || middle), long: performance.now() - startMs >= LONG_TOUCH_MS });
        at = null;
      },
    );
  }
}

function build(geometry) {
  releaseAll();
  Object.assign(state, { geometry, keys: [], cells: [], strip: null, explained: null });
  page.explain.textContent = "";
  const { deck } = page;
  deck.replaceChildren();
  deck.className = geometry.key.width ? "" : "pedal";
  if (geometry.model.name === "neo") deck.classList.add("pale"); // the only model with a white body
  if (geometry.upside_down) deck.classList.add("upside-down"); // strip and dials above the keys
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
  find("serial").textContent = `virtual, serial number ${geometry.serial}`;
  document.title = `openbalance-hid: ${geometry.model.title} (virtual)`;
  for (const { key, text } of geometry.keys) showText(key, text);
  fit();
}

// Fits the deck to the window. Where it costs little size, a key takes a whole number of device pixels per picture pixel, so the
// picture is as sharp as on the real display; else half steps, which blur all lines equally.
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
  const wraps = Boolean(strip && strip.touch && narrow);
  const below = (strip ? 0.85 : 0) * (wraps ? 2 : 1) + (dials ? 0.85 : 0);
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
  page.deck.classList.toggle("crisp", whole && k <= key.width); // larger, single pixels become visible
  // A strip is at its own size where there is room, so that its words are as sharp as on the device; the keys spread above it.
  const pad = snap(k * padShare);
  const spread = strip && strip.touch && !narrow ? (Math.min(strip.width, room - 2 * pad - 2) - cols * k) / Math.max(1, cols - 1) : 0;
  const gap = snap(Math.max(k * gapShare, Math.min(spread, k * 1.3)));
  const keysWidth = cols * k + (cols - 1) * gap;
  const beside = 2 * (k * (narrow ? 0.4 : 0.62) + gap);
  const panel = !strip || strip.touch ? keysWidth : Math.min(strip.width, keysWidth - beside);
  page.deck.classList.toggle("narrow", narrow);
  page.deck.style.setProperty("--columns", String(wraps ? STRIP_COLUMNS_NARROW : dials));
  set("--cols", String(cols));
  set("--k", k);
  set("--kh", exact ? (k / key.width) * key.height : snap(k * tall));
  set("--gap", gap);
  set("--row-gap", snap(k * gapShare));
  set("--pad", pad);
  set("--strip-w", snap(panel));
  if (strip) {
    const cellWidth = strip.touch ? panel / (wraps ? STRIP_COLUMNS_NARROW : dials) : panel;
    set("--strip-h", snap((cellWidth * strip.height) / (strip.touch ? strip.width / dials : strip.width)));
  }
  for (const label of page.deck.querySelectorAll(".key span")) fitValue(label);
}

function showText(key, text) {
  const button = state.keys[key];
  if (!button) return;
  button.setAttribute("aria-label", text || `Key ${key + 1}`);
  const label = button.querySelector("span");
  if (label) {
    label.replaceChildren(...headingAndValue(text.split(", ")[0])); // all the words are below the deck
    fitValue(label);
  }
  if (state.explained === button) explain(button);
}

// Splits "Balance $74.25" before its amount or number of days, so that a pedal shows a heading over a number, as a key does.
function headingAndValue(text) {
  const parts = /^(.+?)(?:: | )([-<>~≈≥ ]*\$[^ ]+|[<>≈]?[<>≈ ]*\d+ [dh]|—)$/u.exec(text) || ["", text, ""];
  const value = document.createElement("b");
  value.textContent = parts[2];
  return parts[2] ? [parts[1], value] : [text];
}

// Makes the amount on a pedal as small as its one line needs: a broken one is another amount.
function fitValue(label) {
  const value = label.querySelector("b");
  if (!value) return;
  value.style.setProperty("--shrink", "1");
  value.style.setProperty("--shrink", String(Math.min(1, label.clientWidth / value.scrollWidth)));
}

function showScreen(text) {
  const screen = state.strip.parentElement;
  screen.setAttribute("aria-label", text || "Screen");
  if (state.explained === screen) explain(screen);
}

function showCells(texts) {
  state.cells.forEach((button, cell) => {
    button.setAttribute("aria-label", texts[cell] || `Touch strip, ${cell + 1} of ${state.cells.length}`);
    if (state.explained === button) explain(button);
  });
}
