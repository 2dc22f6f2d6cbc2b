"""The project's own benchmark of the sanitizer: `make bench-sanitizer`.

The texts are made here from vendors' documented forms, without a look at the sanitizer's rules: it measures, it does
not mirror. Nothing in this folder is a real key or a real person.
"""
