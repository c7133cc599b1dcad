"""What is searched for, and what it finds: the words of a query, what a document that has them is worth, and filters.

Plain values and pure functions. This is the specification; the sources in `matching.retrieval` have to agree with it.
"""
