"""Export of CycleVAR's single pass to one ONNX file, for machines without torch."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Schedule
from varbook.translate.cyclevar import CycleVAR

INSTALL = "pip install varbook[export]"
# A file of protobuf ends at 2 GB: the weights of a larger model are put beside it.
LARGEST = 1_500_000_000


class Translator(nn.Module):
    """The exported module: images (B, 3, H, W) in [-1, 1] and classes (B,) -> translated images."""

    def __init__(self, cyclevar: CycleVAR):
        super().__init__()
        self.cyclevar = cyclevar

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """Translate images."""
        return self.cyclevar(image, target).clamp(-1, 1)


class Divided(nn.Module):
    """A next-scale model whose logits (B, L, V) are divided by a tensor (), the temperature."""

    def __init__(self, model: nn.Module, temperature: Tensor):
        super().__init__()
        self.model, self.temperature = model, temperature

    def forward(self, maps: list[Tensor], target: Tensor, schedule: Schedule) -> Tensor:
        """Return the divided logits of all scales."""
        return self.model(maps, target, schedule) / self.temperature


class Adjustable(Translator):
    """The exported module with two inputs more: temperature () and alpha (), which are numbers of
    the configuration elsewhere.
    """

    def forward(  # type: ignore[override]
        self, image: Tensor, target: Tensor, temperature: Tensor, alpha: Tensor
    ) -> Tensor:
        """Translate images at a temperature (CycleVAR eq. 10) with an alpha (eq. 9)."""
        own = self.cyclevar
        # The logits are divided before CycleVAR sees them, and with its alpha at 1 what it returns
        # is the generated sum alone.
        config = replace(own.config, temperature=1.0, alpha=1.0)
        generated = CycleVAR(own.tokenizer, Divided(own.model, temperature), config)  # type: ignore[arg-type]
        source = own.source(image)
        # E = alpha sum_k up(R_k) + (1 - alpha) F_K   (CycleVAR eq. 9)
        latent = alpha * generated.latent(source, target) + (1 - alpha) * source[-1]  # B C h w
        return own.tokenizer.decode(latent).clamp(-1, 1)


def export_onnx(
    cyclevar: CycleVAR, path: str | Path, *, batch: int = 1, adjustable: bool = False
) -> Path:
    """Write the one-step translator to the ONNX file `path` and return the path.

    Sizes are fixed; both directions are in the file. Its inputs are `image`, float (batch, 3, H, W)
    of the training size, and `target`, long (batch,), with `adjustable` also `temperature` and
    `alpha`, float (); its output is `translation`. Raises VarbookError for the serial mode and
    where the extra `export` is not installed.
    """
    if cyclevar.config.mode != "parallel":
        raise VarbookError(
            'Only the one-step translator is exported; make it with CycleVARConfig(mode="parallel").'
        )
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise VarbookError(f"The export needs onnx and onnxscript: {INSTALL}.") from None
    height, width = (side * cyclevar.tokenizer.stride for side in cyclevar.schedule[-1])
    device = next(cyclevar.model.parameters()).device
    inputs: tuple[Tensor, ...] = (
        torch.zeros(batch, 3, height, width, device=device),
        torch.zeros(batch, dtype=torch.long, device=device),
    )
    large = (
        sum(tensor.numel() * tensor.element_size() for tensor in cyclevar.state_dict().values())
        > LARGEST
    )
    names = ["image", "target"]
    module: nn.Module = Translator(cyclevar)
    if adjustable:
        chosen = (cyclevar.config.temperature, cyclevar.config.alpha)
        inputs += tuple(torch.tensor(number, device=device) for number in chosen)
        names += ["temperature", "alpha"]
        module = Adjustable(cyclevar)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            module.eval(),
            inputs,
            path,
            input_names=names,
            output_names=["translation"],
            dynamo=True,
            external_data=large,
            verbose=False,
        )
    return path


def run_onnx(path: str | Path, image: Tensor, target: Tensor) -> Tensor:
    """Translate `image` (B, 3, H, W) in [-1, 1] to the classes `target` (B,) with onnxruntime.

    Raises VarbookError where onnxruntime is not installed or the sizes are not those of the export.
    """
    try:
        import onnxruntime
    except ImportError:
        raise VarbookError(f"Running an exported model needs onnxruntime: {INSTALL}.") from None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    shapes = [list(entry.shape) for entry in session.get_inputs()]
    if shapes != [list(image.shape), list(target.shape)]:
        raise VarbookError(
            f"{path} was exported for {shapes[0]} images and {shapes[1]} targets, not {list(image.shape)}."
        )
    (out,) = session.run(None, {"image": image.cpu().numpy(), "target": target.cpu().numpy()})
    return torch.from_numpy(out)
