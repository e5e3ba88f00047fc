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

# Measure both sizes, beside the raw cost of what they stand on in the same run.
bench *ARGS:
    cargo build --release --quiet -p rollbook-app -p rollbook-tests
    tests/services run -- cargo run --release --quiet -p rollbook-tests --bin bench -- --size both {{ARGS}}

# Transfers of points on both stores, beside the naive way.
bench-ledger *ARGS:
    cargo build --release --quiet -p rollbook-tests
    tests/services run postgres -- cargo run --release --quiet -p rollbook-tests --bin bench -- --ledger both {{ARGS}}

# The whole fleet in containers: http://127.0.0.1:8080, Grafana on port 3000.
fleet:
    docker compose up --build --detach --wait

# Try the alerts and read compose.yaml; needs promtool and the compose plugin.
check-deploy:
    cd deploy/prometheus && promtool check rules rules.yml && promtool test rules rules.test.yml
    docker compose config --quiet
