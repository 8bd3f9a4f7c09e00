"""From pixels to token maps: the autoencoder, the codebook and the pyramids of VAR, FlexVAR and
LlamaGen.
"""
