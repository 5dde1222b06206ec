"""The answers of business intelligence: one file a feature, plain dicts out, scope always from the policy."""
