"""What the boosted classifiers share, by idea. Knows no engine; see docs/architecture.md."""
