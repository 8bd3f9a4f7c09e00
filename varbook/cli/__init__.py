"""The commands: train.py trains one model of the book, translate.py translates pictures with it."""
