"""Where the local engine of a project is found."""

import platform

import pytest

from flask_pynamodb.local import EngineError
from roster.local import engine
from roster.local.engine import engine_of, find_engine


@pytest.fixture(autouse=True)
def projects(tmp_path, monkeypatch):
    """Point to an empty checkout and an empty current folder, without an engine on the PATH."""
    monkeypatch.setattr(engine, "_PROJECTS", (tmp_path / "checkout", tmp_path / "here"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def create(path, mode=0o755):
    """Create an executable file."""
    path.parent.mkdir(parents=True)
    path.touch(mode=mode)
    return path


def test_setting(projects):
    """DYNAMODB_ENGINE takes precedence over the npm package."""
    create(projects / "checkout" / engine._INSTALLED)
    named = create(projects / "mine" / "dynoxide")

    assert find_engine(str(named)) == named


@pytest.mark.parametrize("mode", [None, 0o644])
def test_wrong_setting(projects, mode):
    """A wrong DYNAMODB_ENGINE is an error; no other engine is started instead."""
    create(projects / "checkout" / engine._INSTALLED)
    named = projects / "mine" / "dynoxide"
    if mode is not None:
        create(named, mode)

    with pytest.raises(EngineError, match=f"DYNAMODB_ENGINE={named} is not an executable file"):
        find_engine(str(named))


@pytest.mark.parametrize("project", ["checkout", "here"])
def test_npm_package(projects, project):
    """The npm package is found in the checkout and below the current folder."""
    installed = create(projects / project / engine._INSTALLED)

    assert find_engine() == installed


def test_fallback(projects):
    """The fallback engine is used where it is installed and the npm package is not."""
    installed = create(projects / "checkout" / engine._FALLBACK)
    (installed.parent / ".venv").mkdir()

    assert find_engine() == installed
    assert engine.is_fallback(installed)


def test_fallback_beside_the_npm_package(projects):
    """The npm package is preferred."""
    installed = create(projects / "checkout" / engine._INSTALLED)
    (create(projects / "checkout" / engine._FALLBACK).parent / ".venv").mkdir()

    assert find_engine() == installed
    assert not engine.is_fallback(installed)


def test_fallback_without_its_environment(projects):
    """The script alone is no engine."""
    create(projects / "checkout" / engine._FALLBACK)
    installed = create(projects / "bin" / "dynoxide")

    assert find_engine() == installed


def test_host(tmp_path):
    """DYNAMODB_HOST takes the place of an engine, also without data in the folder."""
    with engine_of(tmp_path, host="http://127.0.0.1:8000") as url:
        assert url == "http://127.0.0.1:8000"


def test_path(projects):
    """A dynoxide on the PATH is used if there is no npm package."""
    installed = create(projects / "bin" / "dynoxide")

    assert find_engine() == installed


@pytest.mark.parametrize(
    "machine, advice",
    [
        ("x86_64", "npm ci --prefix tools/local-dynamodb"),
        ("arm64", r"make fallback-engine.*DYNAMODB_HOST .* or DYNAMODB_ENGINE"),
    ],
)
def test_not_installed(monkeypatch, machine, advice):
    """The error says how to get an engine on this machine."""
    monkeypatch.setattr(platform, "machine", lambda: machine)

    with pytest.raises(EngineError, match=advice):
        find_engine()
