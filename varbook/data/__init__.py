"""Where images come from: the toy world as data sets, folders of photographs, crops.

Read images.py first: images are uint8 in data sets and files, floats in [-1, 1] in models. toy.py
renders the toy world (drawn by varbook/world), toy_folders.py writes it as files, folders.py reads
photographs.
"""
