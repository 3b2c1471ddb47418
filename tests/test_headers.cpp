// Nothing: a place for the precompiled headers of tests.
