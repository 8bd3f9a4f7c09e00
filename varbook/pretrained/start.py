"""A tokenizer that starts from published weights, as FlexVAR's from LlamaGen's (section 4.1)."""

from collections.abc import Callable

from varbook import paths
from varbook.errors import VarbookError
from varbook.pretrained.files import address
from varbook.pretrained.load import find, load
from varbook.tokenizer.tokenizer import Tokenizer


def start_tokenizer(
    tokenizer: Tokenizer, name: str, *, say: Callable[[str], None] = print
) -> Tokenizer:
    """Copy encoder and decoder of the published tokenizer `name` into `tokenizer`, and return it.

    The codebook and the convolutions beside it stay as they are: LlamaGen's codes have 8 channels
    and FlexVAR's 32, so that those start anew. The file is looked for among the weights
    (VARBOOK_WEIGHTS) first, and fetched otherwise. VarbookError where it cannot be had, or where
    the two autoencoders have different layers.
    """
    entry = find(name)
    file = paths.weights_file(entry.file)
    try:
        published = load(name, file, say=say)
    except VarbookError as error:
        if file:
            raise
        raise VarbookError(
            f"This tokenizer starts from {name}: put {entry.file} ({address(entry.repository, entry.file)}) into a folder "
            f"that VARBOOK_WEIGHTS names, for it cannot be fetched here: {error}"
        ) from error
    if not isinstance(published, Tokenizer):
        raise VarbookError(f"{name} is not a tokenizer: start from one, such as llamagen-vq16.")
    for part in ("encoder", "decoder"):
        source = getattr(published, part).state_dict()
        target = getattr(tokenizer, part)
        shapes = {key: value.shape for key, value in target.state_dict().items()}
        if shapes != {key: value.shape for key, value in source.items()}:
            raise VarbookError(
                f"The {part} of {name} has other layers than that of this tokenizer: give it the channels "
                f'{published.config.channels} and autoencoder="vqgan", or start from nothing.'
            )
        target.load_state_dict(source)
    return tokenizer
