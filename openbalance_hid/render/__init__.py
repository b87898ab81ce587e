"""How it looks: a face in, a picture out, and the picture in the bytes of a model. Pillow lives here.

`draw` paints what `layout` has placed; `blocks` and `notice` know what each block of a view looks like, `type_scale` how large,
`fit` how words get into their room, `fonts` and `icons` what letters and shapes are made of, `theme` their colours. `encode`
speaks the decks' picture formats; `body` and `sheet` make the pictures that people look at.
"""
