"""The command line door. Everything heavy is imported by the command that needs it."""
