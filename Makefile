# Every target does its own set-up on a fresh Debian or Ubuntu machine with
# git, make and a Rust toolchain.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# Where rustup puts it, which a login shell knows and a service does not.
export PATH := $(PATH):$(HOME)/.cargo/bin
# Where cargo builds; the Python environment for tests and checks lives there
# too, so that `cargo clean` leaves nothing behind.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export HYPERFOCUS_VENV ?= $(CARGO_TARGET_DIR)/venv

# More words for the program: make demo ARGS="--seconds 60 --headless"
ARGS ?=

.PHONY: help setup desk demo run obs test bench versus gallery lint fmt docs completions man clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install system packages and the tests' Python environment (done by the others)
	@scripts/setup.sh

desk: setup ## Build the host's desk, for the relay to carry (done by the others)
	@scripts/desk.sh

demo: desk ## A scripted show of every gift: out/demo.png, out/demo.webm and a summary
	$(CARGO) run --locked -- demo $(ARGS)

run: desk ## The real thing: make run ARGS="--url wss://... --stream ID --token-file F"
	$(CARGO) run --locked -- run $(ARGS)

obs: desk ## Build the OBS source and put it in place for this user
	$(CARGO) build --locked --package hyperfocus-obs
	$(CARGO) run --locked -- obs install

test: desk ## Everything that must hold, fastest first
	@scripts/test.sh

bench: desk ## The benchmark table, and out/bench.json
	@scripts/bench.sh

versus: desk ## CPU and memory beside a browser source: out/versus.json
	@scripts/versus.sh $(ARGS)

lint: desk ## Format, clippy, types, spelling, licences and advisories
	@scripts/lint.sh

fmt: ## Format the sources
	$(CARGO) fmt --all

gallery: desk ## A picture of each gift, and of the board: docs/gifts, docs/board.png
	@scripts/gallery.sh
	@scripts/board.sh

docs: setup ## The crate's documentation: the map of the house
	$(CARGO) doc --locked --no-deps --document-private-items

completions: desk ## Shell completions into out/completions
	@mkdir -p out/completions
	@for shell in bash zsh fish; do \
		$(CARGO) run --locked --quiet -- completions $$shell > out/completions/hyperfocus.$$shell; \
	done; ls out/completions

man: desk ## Manual pages into out/man
	$(CARGO) run --locked --quiet -- man out/man

clean: ## Remove what was built and written
	$(CARGO) clean
	rm -rf out web/dist web/node_modules
