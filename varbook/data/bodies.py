"""Pictures of whole and of damaged animals of the toy world, for a judge that tells them apart."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from varbook.data.render_parallel import Order, scene_at
from varbook.world.damage import DAMAGES, damaged
from varbook.world.draw import draw_placed, place
from varbook.world.species import SPECIES

KINDS = ("whole", *DAMAGES)


def bodies(count: int, size: int, *, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return `count` pictures, uint8 (count, 3, size, size), every one of KINDS in turn, their labels
    (count,) and silhouettes, bool (count, size, size).

    Other seeds show other scenes; the same arguments give the same pictures.
    """
    order = Order(seed, size, size, SPECIES, (1.0,) * len(SPECIES), False, False)
    pictures, masks = [], []
    for index in range(count):
        scene, kind = scene_at(order, index), KINDS[index % len(KINDS)]
        change = partial(damaged, damage=kind, number=index // len(KINDS))
        animal = place(scene) if kind == "whole" else place(scene, change)
        picture, mask = draw_placed(scene, animal, size, size)
        pictures.append(picture)
        masks.append(mask)
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    return images, torch.arange(count) % len(KINDS), torch.from_numpy(np.stack(masks))
