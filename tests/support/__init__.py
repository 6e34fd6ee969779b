"""What tests are made with: real daemons, raw sockets, and clients that misbehave on purpose."""
