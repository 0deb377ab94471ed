"""`mailrules init`."""

from pathlib import Path


def test_what_it_writes_passes_check_and_every_case_and_reaches_every_rule(run, workspace):
    check, test = run("check"), run("test")

    assert (check.code, check.out) == (0, "no findings (3 rules)\n")
    assert (test.code, test.out) == (0, "4 cases, all passed; 3 of 3 rules reached\n")


def test_its_first_message_is_handled_by_its_rules(run, workspace):
    done = run("run", "--once", "--json")

    assert done.code == 0
    assert [message["rule"] for message in done.json["listeners"][0]["messages"]] == ["welcome"]


def test_a_workspace_that_is_there_is_left_alone(run, workspace):
    before = (workspace / "mailrules.yaml").read_bytes()

    again = run("init")

    assert again.code == 2
    assert "is there already" in again.err
    assert (workspace / "mailrules.yaml").read_bytes() == before


def test_a_file_that_is_there_is_kept_and_told(run, tmp_path):
    (tmp_path / "README.md").write_text("mine")

    made = run("init", tmp_path)

    assert f"kept  {tmp_path / 'README.md'}" in made.out
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "mailrules.yaml").is_file()


def test_what_it_makes_for_itself_is_ignored_by_git(workspace):
    ignored = Path(".gitignore").read_text().split()

    assert {"/.mailrules/", "/files/", "/mailbox/", "/outbox/"} == set(ignored)


def test_editors_find_the_schemas_that_the_files_name(workspace):
    for file in ("mailrules.yaml", "rules/inbox.yaml", "rules/inbox.test.yaml"):
        first = Path(file).read_text().splitlines()[0]
        assert (Path(file).parent / first.partition("$schema=")[2]).is_file()
