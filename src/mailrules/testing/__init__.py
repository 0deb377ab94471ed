"""Public test tools: a pytest plugin, the case runner, contract suites, scripted servers."""
