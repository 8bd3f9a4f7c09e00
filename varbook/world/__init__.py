"""The toy world: scenes as numbers, and their drawing with Pillow.

Read scene.py first (what a scene is), then draw.py (from a scene to pixels). species.py and
landscape.py are the tables of animals and colours; skeleton.py and coats.py make an animal of
shapes, canvas.py draws shapes with soft edges, backdrop.py the land. Nothing here knows torch.
"""
