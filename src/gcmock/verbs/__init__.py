"""The verbs: what the commands do, as functions that take files or tables in memory.

`gcmock` itself offers them, as ``gcmock.build`` and so on; every module here holds the verb of its
name. They have the names and the options of the commands. Where a command takes a table, a verb
takes a path or a table of astropy, pandas, pyarrow or polars; where it takes a number with a unit,
a verb takes a Quantity as well. The command line only parses, calls them and prints.
"""
