"""One plain, visible training loop per model, and the store that finds what was trained before."""
