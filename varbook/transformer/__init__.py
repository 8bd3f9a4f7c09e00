"""The next-scale model: a transformer that predicts all token maps of a pyramid, coarse to fine."""
