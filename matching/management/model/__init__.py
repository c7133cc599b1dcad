"""The verbs of `manage.py model`, a module each.

A verb has `HELP`, `add_arguments(parser)` and `run(command, options)`; it translates between the command line and one
action or query. A refusal leaves as CommandError.
"""
