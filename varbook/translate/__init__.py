"""Translating images: relaxed quantization, CycleVAR, its discriminators and losses."""
