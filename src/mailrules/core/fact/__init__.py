"""What a message is, beyond one header: pure functions from a message to a fact with the evidence it rests on."""
