"""What a notebook imports to show things: no numbers are made here.

Read display.py first (tables, source, checks), then sheets.py (many images as one
picture; layout.py says where its labels and titles stand). sliders.py
has the widgets, each with a strip of examples for runs in batch; live.py draws a training while it
runs; pipeline_map.py draws the map
of the book; drawing/ explains parts of models and how data flow through them.
"""
