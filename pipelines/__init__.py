"""The state machine of one model: pure functions from a specification and targets to Amazon States Language."""
