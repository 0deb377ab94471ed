"""What every action must do: subclass `ActionContract`, say which action and options, and pytest runs the lot.

```python
class TestRing(ActionContract):
    action = RING                       # the ActionType that the hook yields
    options = {"bell": "front door"}    # as YAML has them
```

Options that only a running test knows (the URL of its server) are given by overriding the fixture `raw_options`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest

from mailrules.api import (
    Action,
    ActionType,
    Message,
    OptionsError,
    Permanent,
    Transient,
    Withheld,
    build_options,
    options_schema,
)
from mailrules.api.options import templates
from mailrules.testing.context import action_data, message_of, recording_context

GRACE = 5.0
"""Seconds that an action may take beyond its deadline: none waits for something without an end."""


class ActionContract:
    """The promises an action makes to the engine, each a test."""

    action: ClassVar[ActionType]
    options: Any = None
    """What stands after the action's name in YAML."""
    data: ClassVar[dict[str, Any]] = {}
    """What earlier steps gave."""

    @pytest.fixture
    def raw_options(self) -> Any:
        """The options as written."""
        return self.options

    @pytest.fixture
    def built(self, raw_options: Any, tmp_path: Path) -> Action:
        """The action, built as the engine does."""
        return self.action.build(build_options(self.action.options, raw_options, root=tmp_path))

    @pytest.fixture
    def message(self, raw_options: Any, tmp_path: Path) -> Message:
        """A message as far loaded as the action, or a template of its options, says that it is needed."""
        options = build_options(self.action.options, raw_options, root=tmp_path)
        needs = self.action.needs_body(options) or any(text.needs_body for text in templates(options))
        return message_of(header_only=not needs)

    def test_the_schema_of_its_options_is_a_schema_and_takes_them(self, raw_options: Any) -> None:
        """Editors and `check` go by it."""
        schema = options_schema(self.action.options)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(raw_options)

    def test_an_unknown_option_is_refused(self, tmp_path: Path) -> None:
        """A misspelt key is never ignored."""
        if getattr(self.action.options, "inline", None):
            return  # any key is right, and its schema says so
        with pytest.raises(OptionsError):
            build_options(self.action.options, {"no such option": 1}, root=tmp_path)

    def test_it_has_a_name_and_a_summary_of_one_line(self) -> None:
        """They are shown in tables."""
        assert self.action.name.replace("-", "").replace("_", "").isalnum()
        assert self.action.summary
        assert "\n" not in self.action.summary

    def test_it_describes_itself_in_one_line_without_doing_it(
        self, built: Action, message: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A dry run prints it, and must change nothing."""
        monkeypatch.chdir(tmp_path)
        before = sorted(tmp_path.rglob("*"))
        said = built.describe(message, action_data(message, data=self.data))
        assert said.strip()
        assert len(said.splitlines()) == 1
        assert sorted(tmp_path.rglob("*")) == before

    def test_it_describes_itself_alike_before_and_after_a_run(
        self, built: Action, message: Message, tmp_path: Path
    ) -> None:
        """It holds no state between messages."""
        data = action_data(message, data=self.data)
        before = built.describe(message, data)
        built.run(message, data, recording_context(tmp_path / "files"))
        assert built.describe(message, data) == before

    def test_its_result_is_json_with_text_keys_or_nothing(
        self, built: Action, message: Message, tmp_path: Path
    ) -> None:
        """The journal keeps it, and later steps read it."""
        result = built.run(message, action_data(message, data=self.data), recording_context(tmp_path / "files"))
        if result is not None:
            assert json.loads(json.dumps(dict(result), allow_nan=False)) == dict(result)

    def test_it_gives_what_it_says_that_it_gives(
        self, built: Action, raw_options: Any, message: Message, tmp_path: Path
    ) -> None:
        """`check` tells of templates that ask for anything else."""
        says = self.action.results(build_options(self.action.options, raw_options, root=tmp_path))
        given = built.run(message, action_data(message, data=self.data), recording_context(tmp_path / "files"))
        if says is not None:
            assert {*(given or {})} - {"done"} == {*says}

    def test_it_ends_soon_after_its_deadline(self, built: Action, message: Message, tmp_path: Path) -> None:
        """An action that is out of time does at once what it can, or says that it may be tried again."""
        started = time.monotonic()
        try:
            built.run(message, action_data(message, data=self.data), recording_context(tmp_path / "files", seconds=0))
        except Transient:
            pass
        finally:
            assert time.monotonic() - started < GRACE

    @pytest.mark.parametrize("failure", [Transient("away", after=30), Permanent("refused"), Withheld("no")], ids=str)
    def test_what_its_edges_refuse_it_passes_on(
        self, built: Action, message: Message, tmp_path: Path, failure: Exception
    ) -> None:
        """Later stays later, never stays never, no stays no: one that swallowed it would call undone work done.

        Of a no it may make a never, raised from it, where the message would be lost to whom it was meant for.
        """
        context = recording_context(tmp_path / "files", failure=failure)
        try:
            built.run(message, action_data(message, data=self.data), context)
        except (Transient, Permanent, Withheld) as error:
            raised: Exception | None = error
        else:
            raised = None
        stricter = isinstance(failure, Withheld) and type(raised) is Permanent and raised.__cause__ is failure
        assert stricter or raised in {None, failure}
        assert not context.files.saved()

    def test_run_again_with_the_same_key_it_leaves_the_same_files(
        self, built: Action, message: Message, tmp_path: Path
    ) -> None:
        """What says that it is repeatable may be run twice after a crash."""
        data, files = action_data(message, data=self.data), tmp_path / "files"
        first = recording_context(files)
        built.run(message, data, first)
        once = first.files.saved()
        if self.action.repeatable:
            built.run(message, data, recording_context(files))
            assert not first.send.sent
        assert first.files.saved() == once

    def test_its_preview_is_the_very_mail_that_it_sends(self, built: Action, message: Message, tmp_path: Path) -> None:
        """People look at it before; an action that sends nothing by itself needs none."""
        preview = getattr(built, "preview", None)
        if preview is None:
            return
        data, context = action_data(message, data=self.data), recording_context(tmp_path / "files")
        shown = preview(message, data, context.idempotency_key)
        assert context.untouched()
        built.run(message, data, context)
        ((mail, _),) = context.send.sent
        assert shown == (mail if isinstance(mail, bytes) else mail.as_bytes())

    def test_a_pure_one_runs_without_a_context(self, built: Action, message: Message) -> None:
        """A dry run runs it, so that later steps are described with its result."""
        if self.action.pure:
            assert built.run(message, action_data(message, data=self.data), None) is not None  # type: ignore[arg-type]
