# aisled: `make run` starts it, `make test` tests it, `make check` is what CI runs, `make bench` measures.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

DATA ?= data
LISTEN ?= 127.0.0.1:8080
# The licence and ban check: skipped by hand with DENY=no where cargo-deny cannot be installed.
DENY ?= yes
TEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo cargo nextest run || echo cargo test)

.PHONY: help run test prove interop web web-tools check fmt lint doc deny imports bench bench-live bench-log conformance clean tools

help: ## Shows what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: tools ## Builds and starts the server on 127.0.0.1:8080 with a small demo household
	cargo run --release --bin aisled -- serve --listen $(LISTEN) --data $(DATA) --demo

test: tools interop ## Runs every test, the quick ones first; with cargo-nextest where it is installed
	$(TEST) --workspace --lib --bins
	$(TEST) --workspace --test '*'
	cargo test --workspace --doc
	@$(MAKE) --no-print-directory web

prove: tools ## Proves that nothing acknowledged is lost: 50,000 states after a loss of power, 1,000 cuts on a real disk (root), every fault
	AISLED_POWER_STATES=56000 AISLED_FAULTS_ALL=yes cargo test --lib log::tests -- --nocapture
	AISLED_POWERCUTS=1000 cargo test --test powercut -- --nocapture

web: web-tools ## Checks and tests the TypeScript client
	cd web && npm run check && npm test

interop: tools web-tools ## Installs the Python and Node tools that `make test` tries the live protocol and the OpenAPI document with
	tests/interop/prepare

check: fmt lint doc imports deny ## Format, lints, documentation, import rules, licences and bans: what CI runs

fmt: tools
	cargo fmt --all -- --check

lint: tools
	cargo clippy --workspace --all-targets -- -D warnings

doc: tools
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --lib

imports: tools ## Checks the import rules between the folders
	cargo test --test import_rules --test words

deny: tools
	@if [ "$(DENY)" = no ]; then echo "deny: left out, DENY=no"; \
	elif cargo deny --version >/dev/null 2>&1; then cargo deny --locked --all-features check licenses bans sources; \
	else echo "missing: cargo-deny (cargo install cargo-deny --locked), or leave it out with: make check DENY=no"; exit 1; fi

bench: tools ## Measures the rows of docs/performance.md and prints one table next to the budgets
	cargo build --profile dist --workspace --bins
	target=$$(cargo metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]+)".*/\1/'); \
	"$$target/dist/aisled-load" bench --server "$$target/dist/aisled"

bench-live: tools ## Measures the live rows, 9 to 15; JSON and charts go to target/bench-live
	cargo build --profile dist --workspace --bins
	target=$$(cargo metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]+)".*/\1/'); \
	"$$target/dist/aisled-load" bench-live --server "$$target/dist/aisled" --out "$$target/bench-live"

bench-log: tools ## Measures the log alone at 100 M events and 10 M streams: some minutes, and 10 GB of disk meanwhile
	cargo build --profile dist --workspace --bins
	target=$$(cargo metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]+)".*/\1/'); \
	"$$target/dist/aisled-load" bench-log

conformance: tools interop ## Fuzzes every operation against the OpenAPI document, then runs the Autobahn test suite (needs Python 2.7; all of it with CASES=all)
	AISLED_FUZZ_EXAMPLES=100 cargo test --release --test openapi -- --nocapture
	tests/conformance/run

clean: ## Removes what was built, never data
	cargo clean

# Says exactly what is missing: a Rust toolchain, and a C compiler for zstd and the allocator.
tools:
	@command -v cargo >/dev/null || { echo "missing: cargo. Install Rust from https://rustup.rs, then open a new shell."; exit 1; }
	@command -v cc >/dev/null || { echo "missing: cc, a C compiler (Debian and Ubuntu: apt install build-essential)."; exit 1; }

web-tools:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "missing: node and npm (Debian and Ubuntu: apt install nodejs npm)."; exit 1; }
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "missing: node 20 or newer; this is $$(node --version)."; exit 1; }
	cd web && if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then npm ci --no-audit --no-fund; fi
