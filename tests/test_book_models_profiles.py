"""The profiles say everything themselves, and the parts of each chain fit together."""

import ast
from dataclasses import fields, replace
from pathlib import Path

import pytest

from varbook.book.models import profiles
from varbook.book.models.profiles import Ablation, Flat, Judges, Profile, Rivals
from varbook.train.store import plain

FOLDER = Path(profiles.__file__).parent
NAMES = ("smoke", "laptop", "gpu", "paper")
CHAINS = [
    (one.name, name, chain)
    for one in profiles.PROFILES.values()
    for name, chain in one.chains.items()
]


def calls(name: str) -> list[ast.Call]:
    """Every call in a profile's file."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("group", [Profile, Ablation, Judges, Rivals, Flat])
def test_a_profile_sets_every_field_by_its_name_and_in_order(name, group):
    (call,) = [one for one in calls(name) if one.func.id == group.__name__]
    assert not call.args
    assert [one.arg for one in call.keywords] == [one.name for one in fields(group)]


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_takes_nothing_from_another(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    sources = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not sources & {f"{profiles.__name__}.{other}" for other in NAMES}
    built = {one.func.id for one in calls(name)}
    assert not built & {"replace", "getattr", "vars"}
    positional = {one.func.id for one in calls(name) if one.args}
    assert positional == {"square", "len"}


def test_every_profile_is_known_by_its_name_and_has_the_same_chains():
    assert tuple(profiles.PROFILES) == NAMES
    for name, one in profiles.PROFILES.items():
        assert one.name == name
        more = ["imagenet"] if name == "paper" else []  # what no other profile could train
        assert list(one.chains) == ["toy", "photographs", "captions", "driving", "small", *more]
        assert list(one.images) == ["toy", "captions", "small"]


@pytest.mark.parametrize(("owner", "name", "chain"), CHAINS)
def test_the_parts_of_a_chain_fit_together(owner, name, chain):
    tokenizer, model = chain.tokenizer, chain.model
    assert model.schedule == tokenizer.schedule
    assert (model.vocab_size, model.code_dim) == (tokenizer.vocab_size, tokenizer.code_dim)
    assert model.bits == (tokenizer.code_dim if tokenizer.codes_kind == "bits" else 0)
    stride = tokenizer.patch * 2 ** (len(tokenizer.channels) - 1)
    assert tokenizer.schedule[-1] == (chain.image_size // stride,) * 2
    assert chain.model_training.max_steps == len(model.schedule)
    assert chain.cyclevar_training.identity_steps < chain.cyclevar_training.steps
    assert model.width % model.heads == 0


def test_profiles_with_other_chains_are_not_the_same_to_a_cache():
    smoke = profiles.profile("smoke")
    other = replace(smoke, chains=smoke.chains | {"toy": smoke.chains["small"]})
    assert other != smoke and len({smoke, other, profiles.profile("smoke")}) == 2
    assert plain(other.chains["toy"]) == plain(smoke.chains["small"])


def test_the_table_of_sizes_has_a_row_for_each_profile_in_order():
    rows = profiles.sizes()
    assert [row["profile"] for row in rows] == list(profiles.PROFILES)
    smoke = rows[0]
    assert smoke["toy picture"] == f"{profiles.PROFILES['smoke'].image_size} px"
    assert len({tuple(row) for row in rows}) == 1


def test_a_live_training_is_short_in_smoke_and_whole_elsewhere():
    assert [profiles.PROFILES[name].live_steps(300) for name in ("smoke", "laptop", "gpu")] == [
        6,
        300,
        300,
    ]
    assert profiles.PROFILES["smoke"].live_steps(2) == 2
