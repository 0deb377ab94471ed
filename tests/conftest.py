"""What every test may use."""

import pytest

pytest_plugins = ("tests.servers.fixtures",)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that nobody waits for it alone at the end."""
    items.sort(key=lambda item: "test_reliability.py" not in item.nodeid)
