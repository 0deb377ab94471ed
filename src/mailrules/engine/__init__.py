"""World, perform, process, one pass, the listening loop."""
