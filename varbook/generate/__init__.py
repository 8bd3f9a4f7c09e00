"""Sampling: guidance, top-k and top-p, and the loop over scales."""
