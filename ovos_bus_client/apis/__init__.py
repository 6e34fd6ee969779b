"""What a skill says to the other parts of the assistant: one module for each."""

__all__: list[str] = []
