// The connection to the server: messages in both directions, the controls below the deck, and retries. Starts the page.
"use strict";

const GOING_AWAY = 1001; // RFC 6455, 7.4.1: the server shuts down
const ENDED = "openbalance-hid has stopped. To see the deck again,";
const PULSE_MS = 3000; // a Critical changes twice a second; pages of a tile change once a minute
const RETRY_MS = [250, 500, 1000, 2000, 4000]; // then every 4 s

// Until the first connection is there the deck looks ready already: input waits for it. On a lost connection it does nothing.
function send(message) {
  const connecting = state.socket && state.socket.readyState === WebSocket.CONNECTING;
  if (connecting && !state.tries) state.waiting.push(message);
  else if (state.socket && state.socket.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(message));
}

// --- messages from the server --------------------------------------------------------------------------------------------
const url = (png) => `data:image/png;base64,${png}`;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Whether a picture is one half of a pulse: the same words, and soon after, the picture before the last one again. With reduced
// motion the first half stays.
function isPulse(button, text, png) {
  const now = performance.now();
  const [last, before] = button.shown || [];
  const repeats = Boolean(before) && before.text === text && last.text === text && before.png === png && now - before.at < PULSE_MS;
  button.shown = [{ text, png, at: now }, last];
  if (repeats) button.pulse = button.pulse || [before.png, last.png];
  else if (button.pulse && !button.pulse.includes(png)) button.pulse = null;
  return calm.matches && Boolean(button.pulse) && last.text === text;
}

const receive = {
  key({ key, text, png }) {
    showText(key, text);
    const button = state.keys[key];
    const picture = button && button.querySelector("img");
    if (!picture || !png) return;
    if (isPulse(button, text, png)) {
      picture.src = url(button.pulse[0]);
      return;
    }
    picture.src = url(png);
  },
  strip({ png, texts }) {
    if (!state.strip || !png) return;
    if (state.strip.tagName === "IMG") {
      state.strip.src = url(png);
      showScreen((texts && texts[0]) || "");
    } else {
      state.strip.style.setProperty("--picture", `url("${url(png)}")`);
      showCells(texts || []);
    }
  },
  brightness({ percent }) {
    // The usual 70 % is drawn at full brightness; below that the display fades, and at 0 it is off.
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
  invalid_reports({ count, last }) {
    const line = find("invalid-reports");
    line.hidden = count === 0;
    line.textContent = count ? `${count} ${count === 1 ? "report" : "reports"} not supported. Last: ${last}` : "";
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
  const readable = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
  chooser("scenario", scenarios.map((row) => [row.name, readable(row.name)]), description.scenario);
  chooser("model", models.map((row) => [row.name, row.title]), description.model.name);
  find("controls").hidden = scenarios.length + models.length === 0;
  find("install").hidden = scenarios.length === 0; // only a demo needs to say how to install it
  if (scenarios.length) receive.scenario({ name: description.scenario });
}

// --- connection ----------------------------------------------------------------------------------------------------------

function connection(text, good = false) {
  page.connection.textContent = text;
  page.connection.classList.toggle("good", good);
  page.deck.classList.toggle("lost", text !== "" && !good);
}

async function describe() {
  try {
    const answer = await fetch(`deck.json${query}`, { cache: "no-store" });
    if (answer.status === 403) {
      connection("This address is no longer valid. Open the new address that openbalance-hid printed in the terminal.");
      return null;
    }
    if (answer.ok) {
      const description = await answer.json();
      controls(description);
      return description;
    }
  } catch {
    // no server: lost() tries again
  }
  lost();
  return null;
}

function lost() {
  releaseAll();
  state.socket = null;
  state.waiting = [];
  page.note.replaceChildren(); // what happened before is not what happens now
  if (state.ended) forget();
  connection(state.ended ? `${ENDED} ${again()}` : `Connection lost. Trying again… If you stopped it: ${again()}`);
  const wait = RETRY_MS[Math.min(state.tries, RETRY_MS.length - 1)];
  state.tries += 1;
  clearTimeout(state.timer);
  state.timer = setTimeout(connect, wait * (0.8 + Math.random() * 0.4));
}

// Takes the words off a deck that is dark: they would be read as what is true now.
function forget() {
  state.keys.forEach((_, key) => showText(key, ""));
  showCells([]);
  if (state.strip && state.strip.tagName === "IMG") showScreen("");
}

function again() {
  const command = state.scenarios.size ? "make demo, or openbalance-hid demo" : "openbalance-hid run --deck virtual";
  return `start it again with ${command}, and open the new address.`;
}

async function connect() {
  clearTimeout(state.timer);
  if (state.requesting) return;
  state.requesting = true;
  const description = await describe().finally(() => (state.requesting = false));
  if (!description) return;
  const known = state.geometry;
  if (!known || known.serial !== description.serial || known.model.name !== description.model.name) build(description);
  const socket = new WebSocket(`ws://${location.host}/events${query}`);
  state.socket = socket;
  socket.addEventListener("open", () => {
    state.ended = false;
    connection(state.tries ? "Connected again" : "", true);
    if (state.tries) setTimeout(() => page.connection.classList.contains("good") && connection(""), 2000);
    state.tries = 0;
    state.waiting.splice(0).forEach(send);
  });
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    if (Object.hasOwn(receive, message.type)) receive[message.type](message);
  });
  socket.addEventListener("close", (event) => {
    if (state.socket !== socket) return;
    state.ended = event.code === GOING_AWAY;
    lost();
  });
}

find("scenario").addEventListener("change", (event) => send({ type: "scenario", name: event.target.value }));
find("model").addEventListener("change", (event) => send({ type: "model", name: event.target.value }));
page.deck.addEventListener("keydown", arrows);
window.addEventListener("resize", fit);
window.addEventListener("blur", releaseAll);
window.addEventListener("pagehide", releaseAll);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) releaseAll();
  else if (!state.socket && state.tries) connect();
});
connect();
