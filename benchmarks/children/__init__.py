"""Client processes. They run under either library, so they use only what both offer."""
