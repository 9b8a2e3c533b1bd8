# The commands of this repository. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
DEVSTACK := $(TARGET_DIR)/release/devstack
DEBUG_DEVSTACK := $(TARGET_DIR)/debug/devstack
# All programs at once: another choice of packages is another choice of features, and builds them all again.
BUILD := cargo build --release --workspace --bins

# Events per second of the live traffic of `make run`.
RATE ?= 50
# Further options of the benchmarks; `--help` lists them.
BENCH ?=
# Seconds that `make bench-calm` measures, and its events per second.
CALM ?= 600
CALM_RATE ?= 10000
# What `make logs` shows: names separated by spaces; all if empty.
SERVICE ?=
# Tests at the same time: they wait for servers most of the time, so more than there are processors.
TEST_THREADS ?= 3

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.PHONY: packages
packages:
	@crates/devstack/install-packages.sh

.PHONY: run
run: packages ## Build and run everything: servers, services, live traffic (RATE=50); Ctrl-C stops it
	@$(BUILD)
	@exec $(DEVSTACK) run --rate $(RATE)

.PHONY: servers
servers: packages ## Run only Kafka, ClickHouse, PostgreSQL and Redis
	@$(BUILD)
	@exec $(DEVSTACK) run --servers-only

.PHONY: status
status: ## Say what runs
	@test ! -x $(DEVSTACK) || $(DEVSTACK) status || true

.PHONY: logs
logs: ## Follow the logs (SERVICE="ingestor query-api" for some of them)
	@test -x $(DEVSTACK) || { echo "Nothing has run yet; try: make run"; exit 1; }
	@exec $(DEVSTACK) logs $(SERVICE)

.PHONY: stop
stop: ## Stop what `make run` started elsewhere
	@test ! -x $(DEVSTACK) || exec $(DEVSTACK) stop

.PHONY: clean
clean: stop ## Remove the stack's data and logs (the build and the download cache stay)
	@# devstack knows where the stack is and whether it still runs; by hand only where there is no devstack
	@if test -x $(DEVSTACK); then $(DEVSTACK) clean; else rm -rf .stack; fi

.PHONY: test
test: packages ## Run the tests, but the long ones, beside a stack of their own
	@cargo build -p devstack
	@exec env RUST_TEST_THREADS=$(TEST_THREADS) $(DEBUG_DEVSTACK) test -- cargo test --workspace --no-fail-fast

.PHONY: test-faults
test-faults: packages ## Run what takes long: kills, restarts, full disks, a replay of real trips
	@$(BUILD)
	@# each of these tests starts its own servers, or needs none
	@exec cargo test --release -p flows -p ingestor -p simulator --tests -- --ignored --test-threads 1 --nocapture

.PHONY: bench-ingest
bench-ingest: packages ## Measure the ingestor against ClickHouse's own Kafka engine (BENCH="--events 200000" for less)
	@$(BUILD)
	@exec cargo bench -p ingestor --bench ingest -- $(BENCH)

.PHONY: bench-calm
bench-calm: packages ## Measure the whole stack under a steady rate (CALM=600 seconds, CALM_RATE=10000)
	@$(BUILD)
	@exec cargo bench -p ingestor --bench ingest -- --calm $(CALM) --rate $(CALM_RATE) $(BENCH)

.PHONY: bench-queries
bench-queries: packages ## Measure the metrics and analyses over 90 days and 5 million events against bare ClickHouse (BENCH="--requests 100")
	@$(BUILD)
	@exec cargo bench -p query-api --bench queries -- $(BENCH)

.PHONY: bench-api
bench-api: packages ## Measure every endpoint as bench-queries does, then answers that are kept (BENCH="--requests 100")
	@$(BUILD)
	@cargo bench -p query-api --bench queries -- $(BENCH)
	@exec cargo bench -p query-api --bench queries -- --kept 30 $(BENCH)

.PHONY: verify
verify: packages ## Recompute all aggregates of the running stack and check that the ledger balances
	@$(BUILD)
	@exec $(DEVSTACK) exec -- $(TARGET_DIR)/release/openride-verify

.PHONY: check
check: packages ## Formatting, lints and documentation, warnings forbidden
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
