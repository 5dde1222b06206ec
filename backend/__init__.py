"""The server: what the brokerage's devices agree with."""

VERSION = "0.1.0"
