"""A plugin package to begin with."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["ring", "ring-the-bell2"])
def test_the_package_passes_its_own_tests_at_once(bare, run, name):
    assert run("plugins", "new", name).code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=bare / f"mailrules-{name}", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_once_installed_it_is_there_by_name(bare, run):
    run("plugins", "new", "ring")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "--target", "site", "./mailrules-ring"], check=True, cwd=bare, capture_output=True)
    shown = subprocess.run(
        [sys.executable, "-c", "from mailrules.cli.main import main; main()", "plugins", "ring"],
        capture_output=True, text=True, check=True, cwd=bare, env=os.environ | {"PYTHONPATH": "site"},
    )  # fmt: skip

    assert "from mailrules-ring 0.1.0" in shown.stdout


@pytest.mark.parametrize("name", ["Ring", "1ring", "ring_bell", "ring-", "ring bell", "../ring", ""])
def test_a_name_that_is_none_is_refused(bare, run, name):
    result = run("plugins", "new", name)
    assert result.code == 2
    assert not list(bare.iterdir())


def test_a_name_that_is_taken_is_refused(bare, run):
    result = run("plugins", "new", "save")
    assert result.code == 2
    assert "there is an action 'save' already" in result.err


def test_nothing_is_overwritten(bare, run):
    run("plugins", "new", "ring")
    (bare / "mailrules-ring" / "README.md").write_text("mine")

    assert run("plugins", "new", "ring").code == 2
    assert (bare / "mailrules-ring" / "README.md").read_text() == "mine"
