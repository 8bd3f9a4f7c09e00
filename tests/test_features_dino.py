"""DINO's keys: the transformer against torchvision's, and a clear word where the checkpoint is
missing.
"""

import pytest
import torch
from torchvision.models import VisionTransformer

from varbook.errors import VarbookError
from varbook.features import dino


def test_same_keys_as_torchvisions_transformer():
    torch.manual_seed(0)
    theirs = VisionTransformer(
        image_size=32, patch_size=8, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=64
    ).eval()
    ours = dino.Dino(width=16, heads=2, depth=3, side=32).eval()
    encoder = theirs.encoder
    with torch.no_grad():
        theirs.class_token.normal_()
    state = {"cls_token": theirs.class_token, "pos_embed": encoder.pos_embedding}
    modules = {"patch_embed.proj": theirs.conv_proj, "norm": encoder.ln}
    for k, layer in enumerate(encoder.layers):
        modules |= {f"blocks.{k}.norm1": layer.ln_1, f"blocks.{k}.norm2": layer.ln_2}
        modules |= {f"blocks.{k}.mlp.fc1": layer.mlp[0], f"blocks.{k}.mlp.fc2": layer.mlp[3]}
        modules[f"blocks.{k}.attn.proj"] = layer.self_attention.out_proj
        state[f"blocks.{k}.attn.qkv.weight"] = layer.self_attention.in_proj_weight
        state[f"blocks.{k}.attn.qkv.bias"] = layer.self_attention.in_proj_bias
    for name, module in modules.items():
        state |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
    ours.load_state_dict(state)
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    mean, std = (torch.tensor(c)[:, None, None] for c in (dino.IMAGENET_MEAN, dino.IMAGENET_STD))
    with torch.no_grad():
        x = theirs.conv_proj(((images + 1) / 2 - mean) / std).flatten(2).transpose(1, 2)
        x = torch.cat([theirs.class_token.expand(2, -1, -1), x], dim=1) + encoder.pos_embedding
        for layer in encoder.layers[:2]:
            x = layer(x)
        last = encoder.layers[2]
        attention = last.self_attention
        wanted = torch.nn.functional.linear(
            last.ln_1(x), attention.in_proj_weight[16:32], attention.in_proj_bias[16:32]
        )
        assert torch.allclose(ours.keys(images), wanted, atol=1e-5)
        assert ours.keys(torch.rand(1, 3, 50, 40)).shape == (1, 17, 16)


def test_missing_and_damaged_checkpoints_are_named(tmp_path):
    with pytest.raises(VarbookError, match="torch.hub|is not there"):
        dino.load_dino(tmp_path / dino.FILE)
    (tmp_path / dino.FILE).write_bytes(b"nothing")
    with pytest.raises(VarbookError, match="cannot be read"):
        dino.load_dino(tmp_path / dino.FILE)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    weights = dino.Dino().state_dict()
    name = next(iter(weights))
    torch.save(weights | {name: weights[name] / 0}, tmp_path / dino.FILE)
    with pytest.raises(VarbookError, match=f"infinite or undefined numbers in '{name}'"):
        dino.load_dino(tmp_path / dino.FILE)
