// Input of the user: pointers, keyboard and screen readers, as presses of buttons.
"use strict";

const pressed = new Map(); // source of a press (pointer or keyboard, and part) -> function that ends it

function release(source) {
  const end = pressed.get(source);
  pressed.delete(source);
  if (end) end();
}

function releaseAll() {
  for (const source of [...pressed.keys()]) release(source);
}

// Calls `down` and `up` in pairs for presses of `button`, whatever ends a press.
function pressable(button, down, up) {
  const begin = (source) => {
    if (pressed.has(source)) return;
    button.classList.add("down");
    pressed.set(source, () => {
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
    button.addEventListener(name, (event) => release(pointer(event)));
  }
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) begin(keyboard);
  });
  button.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    release(keyboard);
  });
  button.addEventListener("blur", () => release(keyboard));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => {
    if (event.detail !== 0) return; // pointer: handled above
    begin(keyboard); // a screen reader clicks, without down and up
    setTimeout(() => release(keyboard), 60);
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
