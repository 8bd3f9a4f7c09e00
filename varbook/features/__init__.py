"""Frozen networks that look at images: pretrained features, a perceptual distance, and the toy
world's judge.
"""
