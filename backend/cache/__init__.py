"""The cache of answers: encoded bytes in two tiers (cashews), under keys that say what they depend on.

A key holds the versions of the buckets that its answer adds up. The sink raises the version of every bucket it touches, so
an answer that is no longer true is never found again: nothing has to be deleted, and no late writer can put a stale one back.
"""
