"""`troth demo`: the main job on real input, on a running server, told in plain words."""

from troth.cli.demo.command import demo

__all__ = ["demo"]
