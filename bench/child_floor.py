"""The lower bound for any Python program that shows a picture on a deck: interpreter, library and Pillow."""

import time

import PIL.Image  # noqa: F401
import StreamDeck.DeviceManager  # noqa: F401

if __name__ == "__main__":
    print(f'{{"shown": [{time.monotonic()}, {time.process_time()}]}}', flush=True)
