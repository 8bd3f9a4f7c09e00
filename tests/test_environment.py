"""pyproject.toml, requirements.txt and environment.yml name the same packages with the same bounds."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from varbook.paths import repository

CONDA_NAMES = {"pytorch": "torch"}
ROOT = repository()


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def direct() -> dict[str, Requirement]:
    extras = project()["optional-dependencies"]
    found = [
        Requirement(line)
        for line in [*project()["dependencies"], *extras["dev"], *extras["export"]]
    ]
    return {canonicalize_name(one.name): one for one in found}


def pinned() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found}


def book_pins() -> dict[str, Requirement]:
    """The pins of the environment in which `make book` runs."""
    lines = (ROOT / "docs" / "book" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found}


def conda() -> dict[str, str]:
    """Package -> bounds as written, conda's and pip's parts together."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    flat = [
        one for entry in entries for one in (entry["pip"] if isinstance(entry, dict) else [entry])
    ]
    split = [
        re.match(r"([A-Za-z0-9_.-]+?)\s*([<>=].*)?$", one).groups()
        for one in flat
        if not one.startswith("-e")
    ]
    return {
        canonicalize_name(CONDA_NAMES.get(name, name)): (bounds or "") for name, bounds in split
    }


@pytest.mark.parametrize("name", sorted(direct()))
def test_each_direct_package_is_pinned_within_its_bounds(name):
    pins = list(pinned()[name].specifier)
    assert len(pins) == 1 and pins[0].operator == "=="
    assert direct()[name].specifier.contains(pins[0].version)


@pytest.mark.parametrize("name", sorted(direct()))
def test_each_direct_package_has_the_same_bounds_in_conda(name):
    assert set(conda()[name].split(",")) == {str(one) for one in direct()[name].specifier}


def test_conda_names_nothing_else():
    assert set(conda()) - set(direct()) == {"python", "pip"}


def test_every_conda_package_says_which_chapter_needs_it():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if re.match(r"\s+- [a-z].*[<>]", line)]
    assert len(packages) == len(direct())
    assert not [line for line in packages if "#" not in line]


def test_every_direct_package_has_an_upper_bound():
    assert not [name for name, one in direct().items() if "<" not in str(one.specifier)]


@pytest.mark.parametrize("line", project()["optional-dependencies"]["book"])
def test_what_makes_the_book_is_pinned_within_its_bounds(line):
    asked = Requirement(line)
    (pin,) = book_pins()[canonicalize_name(asked.name)].specifier
    assert pin.operator == "==" and asked.specifier.contains(pin.version) and "<" in line


def test_what_both_environments_need_has_one_version():
    both = pinned().keys() & book_pins().keys()
    assert both and all(pinned()[name].specifier == book_pins()[name].specifier for name in both)


def test_every_pin_is_exact():
    assert not [
        name
        for name, one in [*pinned().items(), *book_pins().items()]
        if [bound.operator for bound in one.specifier] != ["=="]
    ]


def test_no_file_names_a_registry():
    names = ["requirements.txt", "environment.yml", "pyproject.toml", ".ci/setup", "Makefile"]
    for name in [*names, "docs/book/requirements.txt"]:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", text), (
            name
        )


def test_torch_and_torchvision_are_a_pair():
    # torchvision 0.(n+15) belongs to torch 2.n; a wrong pair fails with "operator torchvision::nms
    # does not exist".
    torch, vision = (
        Version(next(iter(pinned()[name].specifier)).version) for name in ("torch", "torchvision")
    )
    assert (torch.major, torch.minor + 15) == (2, vision.minor)


def test_torchvision_imports_with_the_torch_that_is_installed():
    import torch
    import torchvision

    boxes, scores = torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1]]), torch.tensor([0.9, 0.8])
    assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [0]


def test_python_is_pinned_to_a_minor_version_that_the_project_supports():
    minor = conda()["python"].lstrip("=")
    assert re.fullmatch(r"3\.\d+", minor)
    assert Requirement(f"python{project()['requires-python']}").specifier.contains(minor)
