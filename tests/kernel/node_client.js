// Drives every connected deck through @elgato-stream-deck/node as an application would, and prints what it saw as JSON.
// Argument: how many presses of a key each deck is to report before it is left.
const { listStreamDecks, openStreamDeck } = require('/opt/clients/node_modules/@elgato-stream-deck/node')

const presses = Number(process.argv[2])

// One colour for each key, as the test computes it.
const colour = (index) => [40 + 5 * index, 200 - 5 * index, 90]

function plain(size, [red, green, blue]) {
  const pixels = Buffer.alloc(size.width * size.height * 3)
  for (let at = 0; at < pixels.length; at += 3) pixels.set([red, green, blue], at)
  return pixels
}

async function drive(path) {
  const deck = await openStreamDeck(path, { resetToLogoOnClose: false })
  const seen = { events: [], errors: [] }
  deck.on('error', (error) => seen.errors.push(String(error)))
  for (const event of ['down', 'up', 'rotate', 'lcdShortPress', 'lcdSwipe']) {
    deck.on(event, (control, ...rest) => seen.events.push([event, control.index ?? control.id, ...rest]))
  }
  seen.product = deck.PRODUCT_NAME
  // of a pedal the package reads twelve characters, however long the text is
  seen.serial = (await deck.getSerialNumber()).split('\0')[0]
  seen.firmware = (await deck.getFirmwareVersion()).split('\0')[0]
  await deck.clearPanel()
  await deck.setBrightness(41)
  const keys = deck.CONTROLS.filter((control) => control.type === 'button')
  for (const key of keys) {
    if (key.feedbackType === 'rgb' || (key.feedbackType === 'lcd' && key.index % 2)) {
      await deck.fillKeyColor(key.index, ...colour(key.index))
    } else if (key.feedbackType === 'lcd') {
      await deck.fillKeyBuffer(key.index, plain(key.pixelSize, colour(key.index)), { format: 'rgb' })
    }
  }
  for (const lcd of deck.CONTROLS.filter((control) => control.type === 'lcd-segment')) {
    await deck.fillLcd(lcd.id, plain(lcd.pixelSize, [200, 40, 90]), { format: 'rgb' })
    if (lcd.drawRegions) {
      const region = { width: 100, height: 50 }
      await deck.fillLcdRegion(lcd.id, 20, 10, plain(region, [40, 90, 200]), { format: 'rgb', ...region })
    }
  }
  console.log(`drawn ${seen.serial}`)
  while (seen.events.filter(([event]) => event === 'up').length < presses) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await deck.close()
  return seen
}

listStreamDecks()
  .then(async (decks) => {
    const seen = []
    for (const deck of decks) seen.push(await drive(deck.path))
    console.log(JSON.stringify(seen))
  })
  .catch((error) => {
    console.error(error)
    process.exit(1)
  })
