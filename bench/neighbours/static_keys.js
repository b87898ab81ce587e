// Eight static pictures on the first deck, and a listener: the least that shows anything with @elgato-stream-deck/node.
// NODE_PATH=… node static_keys.js PICTURE.rgb…
"use strict";
const { readFile } = require("node:fs/promises");
const { listStreamDecks, openStreamDeck } = require("@elgato-stream-deck/node");

async function main(pictures) {
  const [found] = await listStreamDecks();
  const deck = await openStreamDeck(found.path);
  deck.on("error", (error) => console.error(error));
  deck.on("down", () => undefined);
  for (const [key, picture] of pictures.entries()) {
    await deck.fillKeyBuffer(key, await readFile(picture), { format: "rgb" });
  }
}

main(process.argv.slice(2));
