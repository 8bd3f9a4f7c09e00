"""A chain of one's own may begin with what comes with the book, where it fits."""

import torch
from tiny import MODEL, same_state, tiny_model, tiny_tokenizer

from varbook.book.models.profiles import profile
from varbook.book.models.trained import begin_with
from varbook.own import start
from varbook.tokenizer.schedule import square
from varbook.transformer.model import NextScaleModel


def test_what_comes_with_the_book_is_found_by_its_sizes_alone(monkeypatch):
    monkeypatch.setattr(start, "base_chain", lambda: profile("laptop").chains["photographs"])
    tokenizer, model = start.book_tokenizer(), start.book_model()
    assert tokenizer.run.name.startswith("photo-tokenizer-") and tokenizer.run.source == "shipped"
    assert model.run.record["settings"]["tokenizer"] == tokenizer.key
    assert not same_state(tokenizer.model, type(tokenizer.model)(tokenizer.model.config))
    monkeypatch.setattr(start, "base_chain", lambda: profile("smoke").chains["photographs"])
    assert start.book_tokenizer() is None and start.book_model() is None


def test_weights_are_taken_over_and_what_has_another_shape_stays():
    tokenizer = tiny_tokenizer(seed=3)
    begin_with(tokenizer, tiny_tokenizer(seed=4))
    assert same_state(tokenizer, tiny_tokenizer(seed=4))
    other = NextScaleModel(MODEL.__class__(**vars(MODEL) | {"schedule": square(1, 2, 3)}))
    positions = {n: t.clone() for n, t in other.state_dict().items() if "pos" in n or "lvl" in n}
    begin_with(other, tiny_model())
    assert torch.equal(other.head.weight, tiny_model().head.weight)
    own, theirs = other.state_dict(), tiny_model().state_dict()
    changed = [n for n, t in positions.items() if t.shape != theirs[n].shape]
    assert changed and all(torch.equal(own[n], positions[n]) for n in changed)
