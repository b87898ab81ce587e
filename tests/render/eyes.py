"""Pictures as eyes see them: contrast of drawn pixels, and colour blindness. Shared by tests."""

from PIL import ImageChops

from openbalance_hid.render.theme import contrast

# For linear light, complete loss of one kind of cone. Source: Machado, Oliveira and Fernandes 2009, severity 1.0.
EYES = {
    "greyscale": (0.2126, 0.7152, 0.0722) * 3,
    "protanopia": (0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998),
    "deuteranopia": (0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881),
    "tritanopia": (1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900),
}
CLEAR = 48  # of 255: a pixel that differs by a fifth of the whole range
APART = 16  # so many clear pixels are a difference that is seen: two strokes of a letter at 72 px

TO_LINEAR = [round(255 * (level / 255) ** 2.2) for level in range(256)] * 3
FROM_LINEAR = [round(255 * (level / 255) ** (1 / 2.2)) for level in range(256)] * 3


def seen(image, eye):
    """The picture as that eye sees it."""
    red_row, green_row, blue_row = (EYES[eye][start : start + 3] for start in (0, 3, 6))
    linear = image.point(TO_LINEAR).convert("RGB", (*red_row, 0, *green_row, 0, *blue_row, 0))
    return linear.point(FROM_LINEAR)


def clear_pixels(one, other):
    """How many pixels of two pictures differ clearly in lightness or colour."""
    return sum(ImageChops.difference(one, other).convert("L").histogram()[CLEAR:])


def ground_of(image):
    """The colour that most of the picture has."""
    return max(image.getcolors(65536))[1]


def strongest(image, box, ground):
    """The highest contrast that any pixel in the box has with the ground."""
    return max(contrast(colour, ground) for _, colour in image.crop(box).getcolors(65536))


def strokes(image, box, ground):
    """The contrast that a third of the ink in the box reaches: of the strokes, not of the soft edges of letters.

    Ink is every pixel with a contrast of 1.5 : 1 and more to the ground.
    """
    found = [(contrast(colour, ground), number) for number, colour in image.crop(box).getcolors(65536)]
    ink = sorted(((ratio, number) for ratio, number in found if ratio >= 1.5), reverse=True)
    left = sum(number for _, number in ink) / 3
    for ratio, number in ink:
        left -= number
        if left <= 0:
            return ratio
    return 1.0
