"""What tests of more than one subject share: frames, an oracle, connections, and where things lie."""
