"""What nobody can do without who shows a picture on a deck with Python: the interpreter, the library and Pillow."""

import time

import PIL.Image  # noqa: F401
import StreamDeck.DeviceManager  # noqa: F401

if __name__ == "__main__":
    print(f'{{"landed": [{time.monotonic()}, {time.process_time()}]}}', flush=True)
