"""Animals that lack a part or have one too many: what a judge of bodies tells from whole ones.

A judge of species does not mind a horse without a head. A person does.
"""

from dataclasses import replace

from varbook.errors import VarbookError
from varbook.world.skeleton import Body, Chain

DAMAGES = ("no head", "two heads", "a leg less")


def damaged(body: Body, damage: str, number: int = 0) -> Body:
    """Return the body with one of DAMAGES; VarbookError for another.

    "no head" keeps the neck where `number` is even. "two heads" has a second one, mirrored, in the
    place of the tail. "a leg less" lacks leg `number` modulo four.
    """
    if damage not in DAMAGES:
        raise VarbookError(f"There is no damage {damage!r}; use {', '.join(DAMAGES)}.")
    lost = body.legs[number % 4]

    def kept(chain: Chain) -> list[Chain]:
        if damage == "a leg less":
            return [] if chain is lost or chain == lost[-1:] else [chain]
        if _in_front(body, chain):
            if damage == "two heads":
                return [chain, [(-x, y, radius) for x, y, radius in chain]]
            return [chain] if chain is body.neck and number % 2 == 0 else []
        return [] if damage == "two heads" and _behind(body, chain) else [chain]

    layers = [
        (role, [part for chain in chains for part in kept(chain)]) for role, chains in body.layers
    ]
    layers = [(role, chains) for role, chains in layers if chains]
    if damage == "no head":  # an eye of no size, inside the trunk
        return replace(body, layers=layers, eye=(*body.torso[2][:2], 0.0))
    return replace(body, layers=layers)


def _in_front(body: Body, chain: Chain) -> bool:
    # head and neck, and all that is on them
    return _is_loose(body, chain) and _middle(chain) > body.torso[-1][0] - 0.02


def _behind(body: Body, chain: Chain) -> bool:
    return _is_loose(body, chain) and _middle(chain) < body.torso[0][0] - 0.05


def _is_loose(body: Body, chain: Chain) -> bool:
    return chain is not body.torso and not any(
        chain is leg or chain == leg[-1:] for leg in body.legs
    )


def _middle(chain: Chain) -> float:
    return sum(x for x, _, _ in chain) / len(chain)
