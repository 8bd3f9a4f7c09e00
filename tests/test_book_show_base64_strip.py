"""Pictures in letters: what goes into a record comes out of it."""

import torch

from varbook.book.show.base64_strip import decode_strip, encode_strip


def test_a_strip_gives_back_its_pictures():
    images = torch.randint(
        256, (3, 3, 8, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    assert torch.equal(decode_strip(encode_strip(images), 3), images)
    assert torch.equal(decode_strip(encode_strip(images / 127.5 - 1), 3), images)


def test_photographs_are_kept_smaller_and_nearly_the_same():
    ramp = torch.arange(64.0).expand(2, 3, 64, 64) / 32 - 1
    kept = encode_strip(ramp, 90)
    assert len(kept) < 4000 and (decode_strip(kept, 2) / 127.5 - 1 - ramp).abs().mean() < 0.03
