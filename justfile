# Shortcuts; each is an ordinary command that can be typed instead.

# Everything CI does.
ci:
    bash .ci/run

# All tests.
test:
    tests/run

# Format and lint.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# See it work.
demo:
    cargo run --release -- demo

# Measure, beside the raw cost of SQLite in the same run.
bench *ARGS:
    cargo build --release --quiet -p rollbook-app
    cargo run --release --quiet -p rollbook-tests --bin bench -- {{ARGS}}
