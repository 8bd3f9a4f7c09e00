"""Published checkpoints (VAR, FlexVAR, LlamaGen, Infinity) in our modules, and models exported.

Read load.py first. catalogue.py lists the models, layouts.py maps their tensor names to ours,
files.py fetches and reads files safely, evaluate.py scores a model as the papers do,
published_cyclevar.py starts CycleVAR from VAR-d16, export.py writes a translator to ONNX.
"""
