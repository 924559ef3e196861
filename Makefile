# Thin: each target says what it does.
CARGO ?= cargo
SHARED ?= ../shared/data
MOTO = 5.2.5
CFN_LINT = 1.58.0
PROMETHEUS = 0.26.0
PROFILED ?= target/corpus/logs $(SHARED)/cloudtrail/bootstrap_account

.PHONY: help demo test servers check bench bench-parts profile scoreboard scoreboard-full release soak ablation tables tools

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

demo: tools ## Build, then find attacks in the logs of a made-up organisation
	$(CARGO) build --release --locked --bin sentrail
	target/release/sentrail demo

test: servers ## Run every test
	$(CARGO) test --workspace --locked

check: tools ## What CI checks besides the tests: format, lints, documentation, that fuzz targets compile
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy -p benches --bins --locked --features ablation,profile -- -D warnings
	$(CARGO) check --manifest-path fuzz/Cargo.toml --locked --target-dir target
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

bench: tools ## What a replay costs against the floor, zcat and threads, on a made-up corpus and the logs of SHARED
	$(CARGO) build --release --locked --bin sentrail --bin floor
	benches/end_to_end.py cloudtrail:bootstrap=$(SHARED)/cloudtrail/bootstrap_account/AWSLogs \
	  cloudtrail:sans504=$(SHARED)/cloudtrail/full_traces/sans504/AWSLogs \
	  flow:flow-v2=$(SHARED)/vpcflow/full_traces/internet-host-36h/v2-default \
	  flow:flow-v5=$(SHARED)/vpcflow/full_traces/internet-host-36h/v5-custom

bench-parts: tools ## What the parts cost: criterion benches of inflating, parsing, summing and writing
	$(CARGO) bench --locked -p benches

profile: tools ## What each part of a replay costs a record, in nanoseconds, on PROFILED folders of CloudTrail objects
	$(CARGO) build --release --locked --bin profile --features benches/profile
	target/release/profile $(PROFILED)

scoreboard: tools ## Renew docs/detection-quality.md: what is found in five made-up organisations, and what is told besides
	$(CARGO) build --release --locked --bin sentrail --bin scoreboard
	target/release/scoreboard

release: tools ## Build what is released into target/released: program, licences, bill of materials, completions, manual pages
	deploy/release.py --out target/released

SEEDS ?= 10
scoreboard-full: tools ## The same of SEEDS organisations of 400 identities a day over 30 days, and how far the goals are
	$(CARGO) build --release --locked --bin sentrail --bin scoreboard
	target/release/scoreboard --full $(SEEDS)

KILLS ?= 1000
TERMINATIONS ?= 200
FLIPS ?= 500
OBJECT_MB ?= 7000
OBJECTS ?= 1000000
FINDINGS ?= 1000000
soak: tools servers ## Kill the daemon KILLS times, end it, damage its state, feed it bombs, write FINDINGS findings; TMPDIR needs 10 GB
	$(CARGO) build --locked --bin sentrail
	$(CARGO) build --release --locked --bin sentrail
	rm -rf target/soak
	target/debug/sentrail simulate --to target/soak --seed 3 --days 4 --accounts 1 --people 8 --machines 1 \
	  --pipelines 1 --agents 0 --vpcs 0 --story codefinger --story role-chain
	tests/kills.py --binary target/debug/sentrail --logs target/soak --kills $(KILLS)
	tests/kills.py --binary target/release/sentrail --logs target/soak --terminate $(TERMINATIONS)
	tests/damage.py --binary target/release/sentrail --logs target/soak --flips $(FLIPS) --rows 100
	tests/bounds.py --binary target/release/sentrail --bomb-mb 10000 --object-mb $(OBJECT_MB) --objects $(OBJECTS)
	PROPTEST_CASES=$(FINDINGS) $(CARGO) test --release --locked -p alerts --lib no_finding_breaks_out_of_any_form

ablation: tools ## What each part of the model is worth: the organisations of `make scoreboard` without it
	$(CARGO) build --release --locked --bin scoreboard --features benches/ablation
	target/release/scoreboard --ablation

tables: ## Fetch the tables of countries and networks anew; needs npm and python3
	python3 ingest/data/regenerate.py
	$(CARGO) test --locked -p ingest enrich

servers: tools .venv/moto-$(MOTO) .venv/prometheus-client-$(PROMETHEUS) ## Install what speaks S3 and SQS in tests, and reads metrics, into .venv

.venv/moto-$(MOTO): | tools
	@python3 -c 'import ensurepip' 2>/dev/null || { apt-get update && apt-get install -y python3-venv; }
	python3 -m venv .venv
	.venv/bin/pip install --quiet 'moto[server]==$(MOTO)' 'cfn-lint==$(CFN_LINT)'
	touch $@

.venv/prometheus-client-$(PROMETHEUS): | .venv/moto-$(MOTO)
	.venv/bin/python -m pip install --quiet prometheus-client==$(PROMETHEUS)
	touch $@

# A C compiler builds libdeflate, Python works the bits out anew; Debian's are installed where none is.
tools:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust 1.95 or later (https://rustup.rs)" >&2; exit 1; }
	@command -v python3 >/dev/null || { apt-get update && apt-get install -y python3; }
	@command -v cc >/dev/null && command -v c++ >/dev/null || { apt-get update && apt-get install -y build-essential; }
