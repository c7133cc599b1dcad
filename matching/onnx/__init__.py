"""Running models made elsewhere, with onnxruntime: an edge, and known to workers alone.

`checking` has a file tried in a process of its own before it is kept, `trial` is that process, `session` runs a model,
`scorer` makes of it what any model is. Nothing here knows Django, so that the trial starts quickly and holds no secret;
and nothing imports onnxruntime before a model is run, so that the web server never does.
"""
