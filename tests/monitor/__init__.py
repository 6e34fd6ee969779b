"""Tests of the monitor: the rules by calling them, the command as a process on a real bus."""
