"""Frozen networks that look at images: pretrained features, a perceptual distance, the toy judges.

Read perceptual.py first: it is what a tokenizer's training uses. judge.py and attributes.py are
only for measuring; the other modules are one published network each.
"""
