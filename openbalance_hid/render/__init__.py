"""The pictures: a face in, a picture out, and the picture in the bytes of a model. The only package with Pillow.

`layout` places what `draw` paints. `blocks` and `notice` arrange the blocks of a view, `type_scale` has their sizes, `fit`
shortens and wraps words, `fonts` and `icons` make letters and shapes, `theme` has the colours. `encode` writes the picture
formats of the decks; `body` draws a whole deck for people.
"""
