"""Published checkpoints in our modules: VAR, FlexVAR and LlamaGen; CycleVAR from VAR-d16; models on
their way out.
"""
